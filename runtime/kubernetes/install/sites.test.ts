import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { FakeApi, reply, status } from '../fake-api.testkit.ts';
import { findSitesWith } from '../find-sites.ts';
import type { CreateSiteRequest } from '../types.ts';
import { createSiteWith } from './create-site.ts';
import { deleteSiteWith } from './delete-site.ts';

let api: FakeApi;
let bundles: string;
before(async () => {
  api = await FakeApi.start();
  bundles = await mkdtemp(join(tmpdir(), 'caravan-bundles-'));
  for (const name of ['caravan.cjs', 'kubernetes.cjs']) await writeFile(join(bundles, name), name);
});
after(async () => {
  await api.close();
  await rm(bundles, { recursive: true, force: true });
});
beforeEach(() => {
  api.intercept = ({ method, path }) => {
    // The cluster's own part: a Deployment that is applied becomes ready.
    if (method === 'PATCH' && path.endsWith('/deployments/caravan')) setTimeout(() => becomeReady(path.split('/')[5]!), 20);
    return false;
  };
});

function becomeReady(namespace: string): void {
  const deployment = api.get('Deployment', namespace, 'caravan');
  if (deployment) api.put('Deployment', namespace, { ...deployment, status: { updatedReplicas: 1, readyReplicas: 1 } });
}
const request = (namespace: string, more: Partial<CreateSiteRequest> = {}): CreateSiteRequest => ({
  context: 'fake',
  namespace,
  wayIn: 'LoadBalancer',
  bundles,
  ...more,
});

test('a site is made, found, and deleted without a trace, its namespace too', async () => {
  const steps: string[] = [];
  const client = api.client();
  const made = await createSiteWith(client, request('a', { createNamespace: true, name: 'west-a' }), (step) => steps.push(step));
  assert.partialDeepStrictEqual(made, { name: 'west-a', namespace: 'a', ready: true, wayIn: 'LoadBalancer' });
  assert.equal(steps[0], 'Making the namespace a');
  assert.ok(steps.includes("Waiting for the router's pod"));
  const { sites, namespaces, limited } = await findSitesWith(client, 'default');
  assert.deepEqual(sites, [{ ...made }]);
  assert.deepEqual([namespaces, limited], [['a'], undefined]);

  const labels = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/managed-by': 'caravan' };
  api.put('Service', 'a', { metadata: { name: 'backend', labels } });
  api.put('Secret', 'a', { metadata: { name: 'caravan-identity', labels } });
  api.put('ConfigMap', 'a', { metadata: { name: 'kube-root-ca.crt' } });
  await deleteSiteWith(client, 'a');
  for (const kind of ['Deployment', 'Service', 'Secret', 'Role', 'RoleBinding', 'ServiceAccount', 'Namespace'] as const)
    assert.deepEqual((await client.list(kind, 'a')).items, [], kind);
});

test("a namespace that holds somebody's work stays, and so does one that Caravan did not make", async () => {
  const client = api.client();
  await createSiteWith(client, request('b', { createNamespace: true }));
  api.put('Deployment', 'b', { metadata: { name: 'backend' } });
  const steps: string[] = [];
  await deleteSiteWith(client, 'b', (step) => steps.push(step));
  assert.equal(steps.at(-1), 'The namespace b stays: it holds Deployment backend');
  assert.ok(api.get('Namespace', 'b', 'b') && api.get('Deployment', 'b', 'backend'));

  api.put('Namespace', 'c', { metadata: { name: 'c' } });
  await createSiteWith(client, request('c', { createNamespace: true }));
  await deleteSiteWith(client, 'c');
  assert.ok(api.get('Namespace', 'c', 'c'));
});

test('without a namespace it says so; with the way in taken away its Service goes', async () => {
  const client = api.client();
  await assert.rejects(createSiteWith(client, request('nowhere')), {
    code: 'not-found',
    message: /There is no namespace nowhere \(context fake\)/,
  });
  await assert.rejects(createSiteWith(client, request('c', { name: 'Bad Name' })), /A site cannot be called "Bad Name"/);
  await createSiteWith(client, request('c'));
  assert.ok(api.get('Service', 'c', 'caravan-links'));
  await createSiteWith(client, request('c', { wayIn: 'none' }));
  assert.equal(api.get('Service', 'c', 'caravan-links'), undefined);
});

test('a router that does not become ready is told with its reason when the time is up', async () => {
  api.intercept = () => false;
  api.put('Namespace', 'd', { metadata: { name: 'd' } });
  const state = { waiting: { reason: 'ErrImagePull', message: 'nope:1: not found' } };
  const labels = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/component': 'router' };
  api.put('Pod', 'd', {
    metadata: { name: 'caravan-1', labels },
    spec: { containers: [{ name: 'router', image: 'nope:1' }] },
    status: { containerStatuses: [{ name: 'router', state, restartCount: 0 }] },
  });
  await assert.rejects(createSiteWith(api.client(), request('d'), undefined, { timeoutMs: 300 }), {
    code: 'timeout',
    message: "The router's pod caravan-1 cannot pull its image nope:1: not found.",
  });
});

test('where the whole cluster may not be seen, the own namespace is, and it says so', async () => {
  await createSiteWith(api.client(), request('c'));
  api.intercept = ({ path }, response) => {
    if (path.includes('/namespaces/')) return false;
    const [, resource] = /\/([a-z]+)$/.exec(path)!;
    reply(
      response,
      403,
      status(403, `${resource} is forbidden: User "ada" cannot list resource "${resource}" in API group "" at the cluster scope`),
    );
    return true;
  };
  const found = await findSitesWith(api.client(), 'c');
  assert.deepEqual(found.namespaces, ['c']);
  assert.deepEqual(
    found.sites.map(({ name, ready }) => [name, ready]),
    [['c', true]],
  );
  assert.match(found.limited!, /^Only the namespace c is shown/);
});
