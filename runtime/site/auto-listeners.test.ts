import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { until } from '../../test/support/until.ts';
import type { ListenerStatus, ServiceStatus } from '../api/types.ts';
import { AutoListeners, MAX_AUTO_LISTENERS } from './auto-listeners.ts';

let store: MemoryStore;
let auto: AutoListeners;
let changes: number;

beforeEach(async () => {
  store = new MemoryStore();
  auto = await AutoListeners.load(store);
  changes = 0;
  auto.onChange = () => changes++;
});

const here = { siteId: 'here', explicit: [] };

function service(address: string, port = 80): ServiceStatus {
  const destinations = [{ site: 'west', siteId: 'west', router: 'west', target: 'pod', port }];
  return { address, type: 'tcp', distribution: 'balanced', ports: [port], destinations };
}

function open(address: string, port: number): ListenerStatus {
  const fixed = { type: 'tcp', host: '127.0.0.1', servicePort: 80, state: 'open', source: 'auto', connections: 0 } as const;
  return { name: `auto:${address}:80`, address, port, ...fixed };
}

function kept(): unknown {
  return JSON.parse(store.entries.get('ports') ?? '{}');
}

describe('the ports of automatic listeners', () => {
  it('are the same in the next run', async () => {
    auto.remember([open('a', 1234), open('b', 80)]);
    await auto.close();
    assert.deepEqual(kept(), { 'a:80': 1234 });
    const [a, b] = (await AutoListeners.load(store)).listeners([service('a'), service('b')], here);
    assert.deepEqual([a?.port, b?.port], [1234, 80]);
  });

  it('that cannot be kept are a problem that is told once, and nothing worse', async () => {
    store.broken = 'ports';
    for (const port of [1, 2, 3]) {
      auto.remember([open('a', port)]);
      await sleep(5);
    }
    assert.equal(changes, 1);
    assert.deepEqual(auto.problems(), [
      {
        where: 'the memory of a test',
        message: 'The ports of automatic listeners cannot be kept, and may be others after a restart: no space left.',
      },
    ]);
    await auto.close();
  });

  it('that could not be kept are kept later', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    store.broken = 'ports';
    auto.remember([open('a', 1)]);
    await new Promise((resolve) => setImmediate(resolve));
    store.broken = undefined;
    t.mock.timers.tick(10_000);
    t.mock.timers.reset();
    await until('no problem', () => auto.problems().length === 0);
    assert.deepEqual([kept(), changes], [{ 'a:80': 1 }, 2]);
  });

  it('are written one after another, the newest last', async () => {
    let delay = 50;
    const write = store.write.bind(store);
    store.write = async (name, text) => {
      await sleep((delay -= 20));
      await write(name, text);
    };
    auto.remember([open('a', 1)]);
    auto.remember([open('a', 2)]);
    await auto.close();
    await sleep(60); // as long as any writing takes
    assert.deepEqual(kept(), { 'a:80': 2 });
  });
});

describe('more services than automatic listeners', () => {
  it('are a problem; those that have a listener keep it', () => {
    const many = Array.from({ length: MAX_AUTO_LISTENERS }, (_, at) => service(`s${at}`));
    assert.equal(auto.listeners(many, here).length, MAX_AUTO_LISTENERS);
    assert.deepEqual(auto.problems(), []);
    const listeners = auto.listeners([service('a'), ...many], here);
    assert.equal(listeners.length, MAX_AUTO_LISTENERS);
    assert.ok(!listeners.some(({ address }) => address === 'a'), 'the newcomer takes nobody’s place');
    assert.match(
      auto.problems()[0]!.message,
      /^The network offers 2001 ports, and 2000 have an automatic listener; .*caravan listen/,
    );
    assert.ok(auto.listeners([service('a'), ...many.slice(1)], here).some(({ address }) => address === 'a'));
    assert.deepEqual(auto.problems(), []);
  });
});
