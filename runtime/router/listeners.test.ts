import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ask, dial, received, TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { silentLog } from '../log.ts';
import type { ConnectorConfig, ListenerConfig } from './config.ts';
import { Listeners } from './listeners.ts';
import { Router } from './router.ts';

let server: TestServer;
let router: Router;
let listeners: Listeners;
const others: TestServer[] = [];

beforeEach(async () => {
  server = await TestServer.start((socket) => socket.pipe(socket));
  const info = { id: 'here', site: { id: 'here', name: 'here' }, version: '1', platform: 'host' } as const;
  router = new Router(info, silentLog, () => {});
  listeners = new Listeners(router, { log: silentLog, changed: () => {} });
});
afterEach(async () => {
  listeners.close();
  router.close();
  await Promise.all([server, ...others.splice(0)].map((each) => each.stop()));
});

function listener(part: Partial<ListenerConfig> = {}): ListenerConfig {
  return {
    name: 'backend',
    address: 'backend',
    type: 'tcp',
    host: '127.0.0.1',
    port: 0,
    servicePort: 8080,
    orAnyPort: false,
    source: 'it.yaml:1',
    ...part,
  };
}

/** Offers the server under the address; nothing where no port is given. */
function offer(...ports: Partial<ConnectorConfig>[]): void {
  router.servers.set(
    ports.map((part, at) => ({
      name: `server-${at}`,
      address: 'backend',
      type: 'tcp',
      distribution: 'balanced',
      port: 8080,
      exact: false,
      targets: [{ host: '127.0.0.1', port: server.port, name: 'server' }],
      pending: undefined,
      source: 'it.yaml:2',
      ...part,
    })),
  );
  router.advertise();
  listeners.review();
}

function becomes(state: string): Promise<number> {
  return until(
    `the listener to be ${state}`,
    () => {
      const [status] = listeners.status();
      return status?.state === state && status;
    },
    { timeoutMs: 10_000 },
  ).then(({ port }) => port);
}

/** Whether a port refuses connections. */
function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}

/** A port that another program has. */
async function takenPort(): Promise<number> {
  const other = await TestServer.start((socket) => socket.destroy());
  others.push(other);
  return other.port;
}

describe('a listener', () => {
  it('refuses connections while nothing offers its address, and keeps its port from time to time', async () => {
    listeners.set([listener()]);
    assert.deepEqual(
      listeners.status().map(({ state, port }) => ({ state, port })),
      [{ state: 'closed', port: 0 }],
    );
    offer({});
    const port = await becomes('open');
    assert.equal(await ask(port, 'hello'), 'hello');
    offer();
    await becomes('closed');
    assert.ok(await refuses(port));
    offer({});
    assert.equal(await becomes('open'), port);
    assert.equal(await ask(port, 'again'), 'again');
  });

  it('lets connections that are up go on when its address is withdrawn', async () => {
    listeners.set([listener()]);
    offer({});
    const client = dial(await becomes('open'));
    client.write('before ');
    await until('the server to see it', () => server.sockets.size === 1);
    offer();
    await becomes('closed');
    const answer = received(client);
    client.end('after');
    assert.equal((await answer).toString(), 'before after');
  });

  it('keeps its socket when others come and go, and loses it when it is taken away', async () => {
    offer({});
    listeners.set([listener()]);
    const port = await becomes('open');
    const client = dial(port);
    await until('the client', () => listeners.status()[0]!.connections === 1);
    listeners.set([listener(), listener({ name: 'second' })]);
    assert.deepEqual(
      listeners.status().map(({ name, connections }) => `${name} ${connections}`),
      ['backend 1', 'second 0'],
    );
    listeners.set([]);
    await until('the port to refuse', () => refuses(port));
    assert.equal(client.destroyed, false);
    client.destroy();
  });

  it('resets a client whom no server takes', async () => {
    offer({});
    listeners.set([listener()]);
    const port = await becomes('open');
    await server.stop();
    await assert.rejects(received(dial(port)), { code: 'ECONNRESET' });
    server = await TestServer.start(() => {});
  });

  it('says which port is meant when its own is none of several', async () => {
    listeners.set([listener({ servicePort: 8080 })]);
    offer({ port: 443, exact: true }, { port: 80, exact: true });
    const [status] = listeners.status();
    assert.equal(status?.state, 'closed');
    assert.equal(status.message, 'backend has the ports 80, 443, not 8080; say which one is meant with settings.servicePort');
  });
});

describe('a listener whose port cannot be had', () => {
  it('says that another program has it, and takes it some time after that has ended', async () => {
    const port = await takenPort();
    offer({});
    listeners.set([listener({ port })]);
    await becomes('failed');
    assert.equal(
      listeners.status()[0]!.message,
      `port ${port} on 127.0.0.1 is in use by another program; end it, or choose another port`,
    );
    await others.pop()!.stop();
    // By itself, after a few seconds.
    assert.equal(await becomes('open'), port);
    assert.equal(listeners.status()[0]!.message, undefined);
    assert.equal(await ask(port, 'hello'), 'hello');
  });

  it('no longer complains once nobody wants it open', async () => {
    offer({});
    listeners.set([listener({ port: await takenPort() })]);
    await becomes('failed');
    offer();
    await becomes('closed');
    assert.equal(listeners.status()[0]!.message, undefined);
  });

  it('takes any port where it may, and stays with that', async () => {
    const wanted = await takenPort();
    offer({});
    listeners.set([listener({ port: wanted, orAnyPort: true })]);
    const port = await becomes('open');
    assert.notEqual(port, wanted);
    assert.equal(await ask(port, 'hello'), 'hello');
    offer();
    await becomes('closed');
    offer({});
    assert.equal(await becomes('open'), port);
  });

  it('says that its host is none of this machine', async () => {
    offer({});
    // TEST-NET-1 (RFC 5737).
    listeners.set([listener({ host: '192.0.2.1', port: 8080, orAnyPort: true })]);
    await becomes('failed');
    assert.equal(listeners.status()[0]!.message, '192.0.2.1 is no address of this machine');
  });
});
