import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { silentLog } from '../log.ts';
import { SiteProxy } from './site-proxy.ts';

const network = { service: () => undefined, hasNamespace: () => false, connect: () => Promise.reject(new Error('none')) };
const started: SiteProxy[] = [];
afterEach(async () => {
  for (const proxy of started.splice(0)) {
    await proxy.close();
    proxy.destroy();
  }
});

/** A site that starts with this store, whose Site resource wishes `resource`. */
async function start(store: MemoryStore, resource?: number): Promise<SiteProxy> {
  const options = { store, network, log: silentLog, changed: () => {} };
  const proxy = new SiteProxy(options, await SiteProxy.remembered(store));
  started.push(proxy);
  proxy.set(resource === undefined ? undefined : { port: resource, where: 'site.yaml:1' });
  await proxy.settled();
  return proxy;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe("a site's proxy", () => {
  test('is not there unless somebody asks', async () => {
    assert.equal((await start(new MemoryStore())).status, undefined);
  });

  test('that a command opened is at the same port after a restart, until it is stopped', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    const opened = await first.open(0);
    assert.equal(opened.host, '127.0.0.1');
    assert.deepEqual(await first.open(undefined), opened, 'one that is open stays');
    await first.close();
    assert.equal(await answers(opened.port), false);
    const second = await start(store);
    assert.deepEqual(second.status, opened);
    assert.equal(await answers(opened.port), true);
    await second.stop();
    assert.equal(await answers(opened.port), false);
    assert.equal((await start(store)).status, undefined);
    await assert.rejects(second.stop(), { message: 'No proxy is open here.' });
  });

  test('moves to another port when told', async () => {
    const proxy = await start(new MemoryStore());
    const first = await proxy.open(0);
    const second = await proxy.open(0);
    assert.notEqual(second.port, first.port);
    assert.deepEqual([await answers(first.port), await answers(second.port)], [false, true]);
  });

  test('that the system chose a port for takes another one where that is in use after a restart', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    const { port } = await first.open(undefined);
    const second = await start(store);
    assert.notEqual(second.status!.port, port);
    assert.deepEqual(second.problems(), []);
  });

  test('is refused a port in use, and stays where it is', async () => {
    const other = await TestServer.start(() => {});
    const store = new MemoryStore();
    const proxy = await start(store);
    const opened = await proxy.open(0);
    const message = `The proxy cannot be opened: port ${other.port} on 127.0.0.1 is in use by another program; end it, or choose another port.`;
    await assert.rejects(proxy.open(other.port), { code: 'conflict', message });
    assert.deepEqual(proxy.status, opened);
    await other.stop();
  });

  test('whose wished port is in use says so, and is opened once it is free', async () => {
    const other = await TestServer.start(() => {});
    const { port } = other;
    const proxy = await start(new MemoryStore(), port);
    assert.equal(proxy.status, undefined);
    assert.match(proxy.problems()[0]!.message, /is in use by another program/);
    assert.equal(proxy.problems()[0]!.where, 'site.yaml:1');
    await other.stop();
    await until('the proxy', () => proxy.status?.port === port);
    assert.deepEqual(proxy.problems(), []);
  });

  test('that a resource wishes is changed there, and takes the place of what a command asked for', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    const byCommand = await first.open(0);
    const proxy = await start(store, 0);
    assert.ok(proxy.status);
    await assert.rejects(proxy.open(byCommand.port), { code: 'conflict', message: /stands in site\.yaml:1.*proxyPort/ });
    await assert.rejects(proxy.stop(), { code: 'conflict', message: /site\.yaml:1/ });
    await first.close();
    proxy.set(undefined);
    await proxy.settled();
    assert.deepEqual(proxy.status, byCommand);
  });

  test('is not opened where that cannot be kept', async () => {
    const store = new MemoryStore();
    store.broken = 'proxy';
    const proxy = await start(store);
    await assert.rejects(proxy.open(0), { code: 'not-saved', message: /no space left/ });
    assert.equal(proxy.status, undefined);
  });
});
