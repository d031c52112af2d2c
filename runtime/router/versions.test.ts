import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ask, TestServer } from '../../test/support/tcp.ts';
import { UdpPeer } from '../../test/support/udp.ts';
import { until } from '../../test/support/until.ts';
import { silentLog } from '../log.ts';
import type { ConnectorConfig, ListenerConfig } from './config.ts';
import { Listeners } from './listeners.ts';
import { RouterMesh } from './router-mesh.testkit.ts';
import type { Router } from './router.ts';

let mesh: RouterMesh;
/** a — old — b: the router in the middle speaks the first version of the protocol; c — second — b: another the second. */
let a: Router, b: Router, c: Router, old: Router, second: Router;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  mesh = new RouterMesh();
  [a, b, c] = [mesh.add('a'), mesh.add('b'), mesh.add('c')];
  old = mesh.add('old', { protocol: 1 });
  second = mesh.add('second', { protocol: 2 });
  await mesh.link(a, old);
  await mesh.link(old, b);
  await mesh.link(c, second);
  await mesh.link(second, b);
  await mesh.settle();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await mesh.stop();
});

function connector(type: 'tcp' | 'udp', port: number): ConnectorConfig {
  const targets = [{ host: '127.0.0.1', port, name: 'server' }];
  const common = { distribution: 'balanced', port: 80, exact: false, targets, pending: undefined, source: 'test' } as const;
  return { name: type, address: type, type, ...common };
}

describe('routers of two versions in one network', () => {
  it('carry streams through one another, and know every service', async () => {
    const server = await TestServer.start((socket) => socket.pipe(socket));
    closing.push(() => server.stop());
    b.servers.set([connector('tcp', server.port)]);
    b.advertise();
    await until('a to know', () => a.isOffered('tcp', 80));
    const listeners = new Listeners(a, { log: silentLog, changed() {} });
    closing.push(() => listeners.close());
    const listener: ListenerConfig = {
      name: 'l',
      address: 'tcp',
      type: 'tcp',
      host: '127.0.0.1',
      port: 0,
      servicePort: 80,
      orAnyPort: false,
      source: 'test',
    };
    listeners.set([listener]);
    const port = await until('it open', () => listeners.status()[0]?.state === 'open' && listeners.status()[0]?.port);
    assert.equal(await ask(port, 'hello'), 'hello');
  });

  it('send an older neighbour no datagram that it would not understand: the link stays up', async () => {
    const server = await UdpPeer.start();
    closing.push(() => server.stop());
    b.servers.set([connector('udp', server.port)]);
    b.advertise();
    await until('a to know', () => a.isOffered('udp', 80));
    const flow = a.flows.open('udp', 80, () => {});
    flow.send(Buffer.from('lost'));
    assert.equal(a.datagrams.dropped, 1);
    await assert.rejects(a.channels.open({ router: 'b' }, 'test', 'x'), { code: 'unreachable' });
    assert.ok(a.engine.paths.has('b'));
    flow.close();
  });

  it('carry datagrams through one that knows no labels', async () => {
    const server = await UdpPeer.start((question) => `answer to ${question.toString()}`);
    closing.push(() => server.stop());
    b.servers.set([connector('udp', server.port)]);
    b.advertise();
    await until('c to know', () => c.isOffered('udp', 80));
    const answers: string[] = [];
    const flow = c.flows.open('udp', 80, (answer) => answers.push(answer.toString()));
    closing.push(() => flow.close());
    for (const question of ['one', 'two']) flow.send(Buffer.from(question));
    await until('both answers', () => answers.length === 2);
    assert.deepEqual(answers, ['answer to one', 'answer to two']);
  });

  it('do not hang an edge on an older one', async () => {
    const edge = mesh.add('edge', { role: 'edge' });
    await assert.rejects(mesh.link(edge, old, { withinMs: 500 }), /Waited/);
    assert.deepEqual(
      edge.engine.routers().map(({ id }) => id),
      ['edge'],
    );
  });
});
