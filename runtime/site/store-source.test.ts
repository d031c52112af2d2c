import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { API_VERSION } from './resources.ts';
import type { WishedState } from './source.ts';
import { StoreSource } from './store-source.ts';

function connector(name: string, spec: object = { routingKey: name, host: 'h', port: 1 }) {
  return [{ apiVersion: API_VERSION, kind: 'Connector', metadata: { name }, spec }];
}

/** The second listing is slow to come back. */
class SlowStore extends MemoryStore {
  #lists = 0;
  override async list(prefix: string): Promise<string[]> {
    const slow = ++this.#lists === 2;
    const names = await super.list(prefix);
    if (slow) await sleep(100);
    return names;
  }
}

test('an older reading that took longer does not have the last word', async () => {
  const source = new StoreSource(new SlowStore());
  let state: WishedState | undefined;
  await source.watch((now) => (state = now));
  const first = source.put('Connector', 'a', connector('a'));
  await sleep(20);
  await Promise.all([first, source.put('Connector', 'b', connector('b'))]);
  assert.deepEqual(
    state?.resources.map(({ name }) => name),
    ['a', 'b'],
  );
});

test('what is no resource is refused with its sentence, and not kept', async () => {
  const store = new MemoryStore();
  const source = new StoreSource(store);
  await source.watch(() => {});
  await assert.rejects(source.put('Connector', 'a', connector('a', { routingKey: 'a', host: 'h', port: 0 })), {
    code: 'bad-request',
    message: 'Connector a: spec.port is 0; it must be a whole number from 1 to 65535.',
  });
  await assert.rejects(source.put('Connector', '-80', connector('-80')), { code: 'bad-request', message: /metadata\.name/ });
  assert.deepEqual([...store.entries.keys()], []);
});

test('what is held is had like any other, and is not kept', async () => {
  const store = new MemoryStore();
  const source = new StoreSource(store);
  let state: WishedState | undefined;
  await source.watch((now) => (state = now));
  await source.put('Connector', 'a', connector('a'));
  await source.put('Connector', 'a', connector('a'), true);
  assert.deepEqual(
    state?.resources.map(({ name }) => name),
    ['a'],
  );
  assert.ok(await source.has('Connector', 'a'));
  assert.deepEqual([...store.entries.keys()], [], 'after a restart it is gone');
  await source.remove('Connector', 'a');
  assert.deepEqual(state?.resources, []);
  assert.ok(!(await source.has('Connector', 'a')));
});

test('a reading that fails does not keep the next one from being told', async () => {
  const store = new MemoryStore();
  const source = new StoreSource(store);
  let told = 0;
  await source.watch(() => told++);
  const list = store.list.bind(store);
  store.list = () => Promise.reject(new Error('gone'));
  await assert.rejects(source.put('Connector', 'a', connector('a')), /gone/);
  store.list = list;
  await source.put('Connector', 'b', connector('b'));
  assert.equal(told, 2);
});
