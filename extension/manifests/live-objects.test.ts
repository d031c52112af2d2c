import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaravanError } from '../../runtime/errors.ts';
import type { Kubernetes, WorkloadRef } from '../../runtime/kubernetes/types.ts';
import type { ContextView } from '../clusters/clusters.ts';
import { findLive, placesOf } from './live-objects.ts';

const context = (name: string, state: ContextView['state'], ...sites: string[]): ContextView => ({
  info: { name, cluster: name, user: 'ada', namespace: 'default', server: '', current: false },
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
