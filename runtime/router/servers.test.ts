import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { stoppedClock } from '../../test/support/stopped-clock.ts';
import { TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { FIRST_ASIDE_MS } from '../routing/failures.ts';
import type { ConnectorConfig } from './config.ts';
import { type ServerConnection, Servers } from './servers.ts';

const open: TestServer[] = [];
const connections: ServerConnection[] = [];
afterEach(async () => {
  for (const { stream } of connections.splice(0)) stream.destroy();
  await Promise.all(open.splice(0).map((started) => started.stop()));
});

/** The port of a server that takes connections until the test ends. */
async function server(): Promise<number> {
  const started = await TestServer.start((socket) => socket.resume());
  open.push(started);
  return started.port;
}

/** A port of loopback that refuses. */
async function closedPort(): Promise<number> {
  const started = await TestServer.start(() => {});
  const { port } = started;
  await started.stop();
  return port;
}

function connector(name: string, ports: number[], part: Partial<ConnectorConfig> = {}): ConnectorConfig {
  return {
    name,
    address: 'backend',
    type: 'tcp',
    distribution: 'balanced',
    port: 8080,
    exact: false,
    targets: ports.map((port) => ({ host: '127.0.0.1', port, name: `server-${port}` })),
    pending: undefined,
    source: 'it.yaml:1',
    ...part,
  };
}

async function connect(servers: Servers, port = 8080, address = 'backend'): Promise<string> {
  const connection = await servers.connect({ address, port });
  connections.push(connection);
  return connection.target;
}

describe('a connection goes', () => {
  it('to the server with the fewest; those with equally many take turns', async () => {
    const ports = [await server(), await server(), await server()];
    const servers = new Servers();
    servers.set([connector('a', ports)]);
    const targets: string[] = [];
    for (let at = 0; at < 9; at++) targets.push(await connect(servers));
    assert.deepEqual(targets.slice(0, 3).toSorted(), ports.map((port) => `server-${port}`).toSorted());
    for (const port of ports) assert.equal(targets.filter((target) => target === `server-${port}`).length, 3);
    assert.equal(servers.status()[0]!.connections, 9);
    // Two of one server end: the next two go there.
    const [first, second] = connections.filter(({ target }) => target === targets[0]);
    for (const { stream } of [first!, second!]) stream.destroy();
    await until('two to have ended', () => servers.status()[0]!.connections === 7);
    assert.deepEqual([await connect(servers), await connect(servers)], [targets[0], targets[0]]);
  });

  it('in turns to servers that have nothing to do', async () => {
    const servers = new Servers();
    servers.set([connector('a', [await server(), await server()])]);
    const targets: string[] = [];
    for (let at = 0; at < 4; at++) {
      const { stream, target } = await servers.connect({ address: 'backend', port: 8080 });
      targets.push(target);
      stream.destroy();
      await until('it to have ended', () => servers.status()[0]!.connections === 0);
    }
    assert.equal(new Set(targets.slice(0, 2)).size, 2);
    assert.deepEqual(targets.slice(2), targets.slice(0, 2));
  });

  it('to the next server when one refuses', async () => {
    const [dead, alive] = [await closedPort(), await server()];
    const servers = new Servers();
    servers.set([connector('a', [dead, alive])]);
    for (let at = 0; at < 4; at++) assert.equal(await connect(servers), `server-${alive}`);
    assert.equal(servers.status()[0]!.connections, 4, 'what failed does not count');
  });

  it('to one that failed after the others, for a while; then one more, to see', async (t) => {
    const pass = stoppedClock(t, 1000);
    const [dead, alive] = [await closedPort(), await server()];
    const servers = new Servers();
    servers.set([connector('a', [dead, alive])]);
    for (let at = 0; at < 2; at++) assert.equal(await connect(servers), `server-${alive}`);
    const back = createServer((socket) => socket.resume()).listen(dead, '127.0.0.1');
    await once(back, 'listening');
    t.after(() => back.close());
    assert.equal(await connect(servers), `server-${alive}`, 'though the other one has nothing to do');
    pass(FIRST_ASIDE_MS);
    for (let at = 0; at < 3; at++) assert.equal(await connect(servers), `server-${dead}`, 'and has the fewest again');
  });

  it('nowhere, with the reason of the last, when all refuse', async () => {
    const dead = await closedPort();
    const servers = new Servers();
    servers.set([connector('a', [dead])]);
    await assert.rejects(connect(servers), {
      name: 'StreamError',
      code: 'refused',
      message: `server-${dead} refuses connections`,
    });
    assert.equal(servers.status()[0]!.connections, 0);
  });

  it('nowhere when the address is not offered here', async () => {
    const servers = new Servers();
    servers.set([connector('a', [await server()])]);
    await assert.rejects(connect(servers, 8080, 'orders'), { code: 'unreachable', message: 'orders is not offered here' });
  });

  it('to any server of its address, whatever port the client means', async () => {
    const servers = new Servers();
    servers.set([connector('a', [await server()], { port: 5432 })]);
    assert.ok(await connect(servers, 9999));
  });

  it('only to the servers of its own port where the address has several', async () => {
    const [web, tls] = [await server(), await server()];
    const servers = new Servers();
    servers.set([connector('web', [web], { port: 80, exact: true }), connector('tls', [tls], { port: 443, exact: true })]);
    assert.equal(await connect(servers, 80), `server-${web}`);
    assert.equal(await connect(servers, 443), `server-${tls}`);
    await assert.rejects(connect(servers, 8080), { code: 'unreachable' });
  });
});

describe('what a site offers', () => {
  const offersOf = (...connectors: ConnectorConfig[]) => {
    const servers = new Servers();
    servers.set(connectors);
    return servers.offers();
  };

  it('is one port for connectors that take any client, with all their servers', () => {
    assert.deepEqual(offersOf(connector('a', [2], { port: 9090 }), connector('b', [1, 2], { port: 8080 })), [
      {
        address: 'backend',
        type: 'tcp',
        distribution: 'balanced',
        ports: [{ port: 8080, targets: ['server-1', 'server-2'] }],
      },
    ]);
  });

  it('is a port each for those that take their own clients, ascending', () => {
    const [offer] = offersOf(connector('a', [1], { port: 443, exact: true }), connector('b', [2], { port: 80, exact: true }));
    assert.deepEqual(offer?.ports, [
      { port: 80, targets: ['server-2'], exact: true },
      { port: 443, targets: ['server-1'], exact: true },
    ]);
  });

  it('has no server while none is ready, and says why', () => {
    const servers = new Servers();
    servers.set([connector('a', [], { pending: 'no pod of backend is ready' })]);
    assert.deepEqual(
      servers.offers().map(({ ports }) => ports),
      [[{ port: 8080, targets: [] }]],
    );
    assert.deepEqual(
      servers.status().map(({ state, message }) => `${state}: ${message}`),
      ['pending: no pod of backend is ready'],
    );
  });
});
