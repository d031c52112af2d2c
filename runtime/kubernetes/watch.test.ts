import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { FakeApi, reply, status } from './fake-api.testkit.ts';
import { ObjectWatch } from './watch.ts';

let api: FakeApi;
before(async () => {
  api = await FakeApi.start();
});
after(() => api.close());
beforeEach(() => {
  api.intercept = () => false;
  api.calls.length = 0;
});

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `not within 5 s: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function watching(namespace: string) {
  const ended = new AbortController();
  const watch = new ObjectWatch(api.client(), { kind: 'Pod', namespace }, () => undefined, ended.signal);
  const names = () =>
    [...watch.items.values()]
      .map(({ metadata }) => metadata?.name)
      .sort((a, b) => (a! < b! ? -1 : 1))
      .join();
  await until(() => watch.synced && api.watching === 1);
  return { watch, names, ended };
}
const stopped = async (ended: AbortController) => {
  ended.abort();
  await until(() => api.watching === 0);
};
const lists = () => api.calls.filter(({ query }) => !query.has('watch')).length;

test('items follow what is made, changed and deleted', async () => {
  api.put('Pod', 'a', { metadata: { name: 'one' } });
  const { watch, names, ended } = await watching('a');
  assert.equal(names(), 'one');
  api.put('Pod', 'a', { metadata: { name: 'two' } });
  await until(() => names() === 'one,two');
  api.put('Pod', 'a', { metadata: { name: 'two', labels: { x: '1' } } });
  await until(() => watch.items.get('a/two')?.metadata?.labels?.['x'] === '1');
  api.remove('Pod', 'a', 'one');
  await until(() => names() === 'two');
  await stopped(ended);
});

test('a watch that breaks off goes on from the last version, bookmarks included, without a new list', async () => {
  const { watch, names, ended } = await watching('b');
  api.sendToWatches({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '777' } } });
  api.put('Pod', 'b', { metadata: { name: 'one' } });
  await until(() => names() === 'one');
  api.sendToWatches({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '888' } } });
  api.calls.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 20));
  api.cutWatches();
  await until(() => api.calls.length > 0 && api.watching === 1);
  assert.equal(watch.problem, undefined);
  assert.equal(lists(), 0);
  assert.equal(api.calls[0]?.query.get('resourceVersion'), '888');
  assert.equal(api.calls[0]?.query.get('allowWatchBookmarks'), 'true');
  await stopped(ended);
});

test('a version that the server no longer knows (410) means a new list', async () => {
  const { names, ended } = await watching('c');
  api.calls.length = 0;
  api.sendToWatches({ type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old resource version' } });
  await until(() => lists() === 1 && api.watching === 1);
  api.put('Pod', 'c', { metadata: { name: 'after' } });
  await until(() => names() === 'after');
  await stopped(ended);
});

test('errors are told, tried again, and forgotten when it works', async () => {
  let refusals = 2;
  api.intercept = (_call, response) => {
    if (refusals-- <= 0) return false;
    reply(response, 500, status(500, 'etcd is away'));
    return true;
  };
  const problems: (string | undefined)[] = [];
  const ended = new AbortController();
  const watch = new ObjectWatch(api.client(), { kind: 'Pod', namespace: 'd' }, () => problems.push(watch.problem), ended.signal);
  await until(() => watch.synced && api.watching === 1);
  assert.equal(problems[0], 'The API server of context fake answers 500: etcd is away.');
  assert.equal(watch.problem, undefined);
  await stopped(ended);
});
