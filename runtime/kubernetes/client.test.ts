import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { ClusterClient } from './client.ts';
import { FakeApi, reply, status } from './fake-api.testkit.ts';

let api: FakeApi;
before(async () => {
  api = await FakeApi.start();
});
after(() => api.close());
beforeEach(() => {
  api.intercept = () => false;
});

test('lists, reads, creates, applies, patches and deletes', async () => {
  const client = api.client();
  await client.create('shop', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', labels: { x: '1' } } });
  await client.apply('shop', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'b' } });
  assert.deepEqual(
    (await client.list('Service', 'shop')).items.map(({ metadata }) => metadata?.name),
    ['a', 'b'],
  );
  assert.equal((await client.list('Service', undefined, { labelSelector: 'x=1' })).items.length, 1);
  await client.patch('Service', 'shop', 'a', { metadata: { labels: { x: null, y: '2' } } });
  assert.deepEqual((await client.read('Service', 'shop', 'a'))?.metadata?.labels, { y: '2' });
  await assert.rejects(client.delete('Service', 'shop', 'a', { preconditions: { resourceVersion: '1' } }), { code: 'conflict' });
  await client.delete('Service', 'shop', 'a');
  await client.delete('Service', 'shop', 'a');
  assert.equal(await client.read('Service', 'shop', 'a'), undefined);
  const apply = api.calls.find(({ headers }) => headers['content-type'] === 'application/apply-patch+yaml');
  assert.equal(apply?.query.toString(), 'fieldManager=caravan&force=true');
});

test('a missing right is named, with the namespace', async () => {
  const message = 'services is forbidden: User "ada" cannot list resource "services" in API group "" in the namespace "shop"';
  api.intercept = (_call, response) => (reply(response, 403, status(403, message)), true);
  await assert.rejects(api.client().list('Service', 'shop'), {
    code: 'forbidden',
    message:
      'The user ada may not list services in the namespace shop (context fake). Ask whoever runs the cluster for that right.',
  });
  const wide =
    'deployments.apps is forbidden: User "system:serviceaccount:shop:caravan" cannot list resource "deployments" in API group "apps" at the cluster scope';
  api.intercept = (_call, response) => (reply(response, 403, status(403, wide)), true);
  await assert.rejects(
    api.client().list('Deployment', undefined),
    /^Error|The service account shop\/caravan may not list deployments\.apps in the whole cluster/,
  );
});

test('expired credentials are renewed once, then one sentence', async () => {
  api.intercept = ({ headers }, response) => {
    if (headers.authorization === 'Bearer new') return false;
    reply(response, 401, status(401, 'Unauthorized'));
    return true;
  };
  const renewing = new ClusterClient(async (renew) => api.config(renew ? 'new' : 'old'), 'context fake');
  assert.deepEqual((await renewing.list('Pod', 'empty')).items, []);
  await assert.rejects(api.client().list('Pod', 'empty'), {
    code: 'unauthorized',
    message: /have expired or are wrong\. Sign in again\.$/,
  });
});

test('a call can be cancelled, and has a limit of its own', async () => {
  api.intercept = () => true;
  const client = api.client();
  await assert.rejects(client.list('Pod', 'shop', { timeoutMs: 100 }), {
    code: 'unreachable',
    message: /^The cluster of context fake does not answer \(0\.1 s\) at http:/,
  });
  const reason = new Error('cancelled');
  const aborted = AbortSignal.abort(reason);
  await assert.rejects(client.list('Pod', 'shop', { signal: aborted }), reason);
  const later = new AbortController();
  setTimeout(() => later.abort(reason), 50);
  await assert.rejects(client.list('Pod', 'shop', { signal: later.signal }), reason);
});

test('an answer that stops halfway is under the limit too', async () => {
  api.intercept = (_call, response) => (response.writeHead(200).write('{'), true);
  await assert.rejects(api.client().list('Pod', 'shop', { timeoutMs: 200 }), /does not answer \(0\.2 s\)/);
});

function clientOf(server: string): ClusterClient {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: true }, { name: 'u' });
  return new ClusterClient(async () => config, 'context west');
}

test('a cluster that is not there is one sentence', async () => {
  const closed = await listening();
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await assert.rejects(clientOf(`https://127.0.0.1:${port}`).list('Pod', 'shop'), {
    code: 'unreachable',
    message: `The cluster of context west cannot be reached at https://127.0.0.1:${port}: it refuses connections. Is the cluster running?`,
  });
  await assert.rejects(
    clientOf('https://no-such-host.invalid').list('Pod', 'shop'),
    /its host name (is not known|cannot be looked up)/,
  );
});

test('a server that takes connections but says nothing is given up', async () => {
  const silent = await listening();
  const { port } = silent.address() as AddressInfo;
  await assert.rejects(
    clientOf(`https://127.0.0.1:${port}`).list('Pod', 'shop', { timeoutMs: 150 }),
    /does not answer \(0\.15 s\)/,
  );
  silent.close();
});

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.unref());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
