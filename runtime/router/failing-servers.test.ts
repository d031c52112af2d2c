import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { stoppedClock } from '../../test/support/stopped-clock.ts';
import { TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { FIRST_ASIDE_MS } from '../routing/failures.ts';
import type { ConnectorConfig } from './config.ts';
import { RouterMesh } from './router-mesh.testkit.ts';
import type { Router } from './router.ts';

let mesh: RouterMesh;
/** a — b — c: clients are at b, servers at a and c. */
let a: Router, b: Router, c: Router;
let server: TestServer;
/** Nobody listens there. */
let deadPort: number;

beforeEach(async () => {
  mesh = new RouterMesh();
  [a, b, c] = ['a', 'b', 'c'].map((name) => mesh.add(name)) as [Router, Router, Router];
  await mesh.link(b, a);
  await mesh.link(b, c);
  await mesh.settle();
  server = await TestServer.start((socket) => socket.resume());
  const gone = await TestServer.start(() => {});
  deadPort = gone.port;
  await gone.stop();
  offer(a, deadPort);
  offer(c, server.port);
  await until('both to be offered', () => b.destinations('backend', 80).length === 2);
});
afterEach(async () => {
  await mesh.stop();
  await server.stop();
});

function offer(router: Router, port: number): void {
  const connector: ConnectorConfig = {
    name: 'backend',
    address: 'backend',
    type: 'tcp',
    distribution: 'balanced',
    port: 80,
    exact: false,
    targets: [{ host: '127.0.0.1', port, name: router.info.id }],
    pending: undefined,
    source: 'it.yaml:1',
  };
  router.setConnectors([connector]);
}

it('a site whose servers take nothing is tried behind the others by the clients of other sites, whatever load these have', async (t) => {
  const pass = stoppedClock(t, 100);
  const asked = t.mock.method(a.servers, 'connect').mock;
  for (let count = 0; count < 6; count++) await b.connect('backend', 80);
  assert.equal(asked.callCount(), 1);
  pass(FIRST_ASIDE_MS);
  for (let count = 0; count < 6; count++) await b.connect('backend', 80);
  assert.equal(asked.callCount(), 2, 'one more, to see');
  assert.equal(server.sockets.size, 12);
  offer(c, deadPort);
  await assert.rejects(b.connect('backend', 80), { code: 'refused' });
  assert.equal(asked.callCount(), 3, 'it is never left out');
});

it('a server that takes no connection is tried behind the others for requests', async (t) => {
  const pass = stoppedClock(t, 100);
  const next = () => b.nextServer({ address: 'backend', port: 80, request: undefined }, new Set())!;
  const busy = b.nextServer({ address: 'backend', port: 80, request: undefined }, new Set());
  const failing = [busy!, next()].find(({ target }) => target === 'a')!;
  await assert.rejects(failing.connect(), { code: 'refused' });
  failing.done();
  for (let count = 0; count < 5; count++) assert.equal(next().target, 'c');
  pass(FIRST_ASIDE_MS);
  assert.equal(next().target, 'a');
});
