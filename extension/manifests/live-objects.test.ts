import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaravanError } from '../../runtime/errors.ts';
import type { Kubernetes, WorkloadRef } from '../../runtime/kubernetes/types.ts';
import type { ContextView } from '../clusters/clusters.ts';
import { Cancelled } from '../like.ts';
import { atEach, failedAt, findLive, placesOf } from './live-objects.ts';

const context = (name: string, state: ContextView['state'], ...sites: string[]): ContextView => ({
  info: { name, cluster: name, user: 'ada', namespace: 'default', server: '', current: false, file: '/kubeconfig' },
  state,
  found: {
    sites: sites.map((namespace) => ({ namespace, name: namespace, version: '', ready: true, wayIn: 'none' })),
    namespaces: [],
  },
});
const contexts = [context('west', 'answered', 'shop'), context('gone', 'silent', 'shop'), context('east', 'answered')];
const at = (refs: WorkloadRef[]) => refs.map(({ context: name, namespace }) => `${name}/${namespace}`);

test('an object is looked for in its namespace, else where sites are', () => {
  const object = { kind: 'Service', name: 'orders' } as const;
  assert.deepEqual(at(placesOf(object, contexts)), ['west/shop', 'west/default', 'east/default']);
  assert.deepEqual(at(placesOf({ ...object, namespace: 'db' }, contexts)), ['west/db', 'east/db']);
});

test('a cluster that says no is one without the object', async () => {
  const kubernetes = {
    readAnnotations: ({ context: name }: WorkloadRef) =>
      name === 'west' ? Promise.resolve({ a: 'b' }) : Promise.reject(new CaravanError('forbidden', 'You may not get Services.')),
  } as unknown as Kubernetes;
  const live = await findLive(
    placesOf({ kind: 'Service', name: 'orders', namespace: 'db' }, contexts),
    kubernetes,
    new AbortController().signal,
  );
  assert.deepEqual(at(live.map(({ ref }) => ref)), ['west/db']);
});

test('a place that fails keeps no other from it, and is named', async () => {
  const places = placesOf({ kind: 'Service', name: 'orders' }, contexts);
  const { done, failed } = await atEach(places, ({ namespace, context: name }) =>
    name === 'west' && namespace === 'default'
      ? Promise.reject(new CaravanError('forbidden', 'You may not patch Services.'))
      : Promise.resolve(),
  );
  assert.deepEqual(done, ['west/shop', 'east/default']);
  const error = failedAt('orders is still exposed in', failed);
  assert.equal(error.message, 'orders is still exposed in west/default (You may not patch Services).');
  assert.equal(error.code, 'forbidden');
});

test('cancelling at one place leaves the others as they are', async () => {
  const asked: string[] = [];
  const places = placesOf({ kind: 'Service', name: 'orders' }, contexts);
  const work = (ref: WorkloadRef) => (asked.push(ref.context), Promise.reject(new Cancelled()));
  await assert.rejects(atEach(places, work), Cancelled);
  assert.deepEqual(asked, ['west']);
});
