import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeApi } from './fake-api.testkit.ts';
import { secretStore } from './store.ts';

let api: FakeApi;
before(async () => {
  api = await FakeApi.start();
});
after(() => api.close());

test('entries are written, read, listed and removed', async () => {
  const store = secretStore(api.client(), 'a');
  assert.equal(await store.read('identity'), undefined);
  await store.write('links/east', 'one');
  await store.write('links/east', 'two');
  await store.write('links/north', 'n');
  await store.write('identity', 'ö');
  assert.equal(await store.read('links/east'), 'two');
  assert.equal(await secretStore(api.client(), 'a').read('identity'), 'ö');
  assert.deepEqual(await store.list('links/'), ['links/east', 'links/north']);
  await store.remove('links/east');
  await store.remove('links/east');
  assert.deepEqual(await store.list(''), ['identity', 'links/north']);
});

test('a Secret has the labels by which deleting the site finds it', async () => {
  await secretStore(api.client(), 'b').write('grants/g1', 'text');
  const secret = api.get('Secret', 'b', 'caravan-grants.g1');
  assert.deepEqual(secret?.metadata?.labels, {
    'app.kubernetes.io/name': 'caravan',
    'app.kubernetes.io/managed-by': 'caravan',
    'app.kubernetes.io/component': 'store',
  });
});

test("two writers: the second one's write over what it has not seen is a conflict", async () => {
  const [one, two] = [secretStore(api.client(), 'c'), secretStore(api.client(), 'c')];
  await one.write('identity', 'first');
  await two.read('identity');
  await one.write('identity', 'second');
  await assert.rejects(two.write('identity', 'third'), {
    code: 'conflict',
    message: /caravan-identity in c was changed by somebody else/,
  });
  await two.write('identity', 'fourth');
  assert.equal(await one.read('identity'), 'fourth');
});

test('a label set by hand is no conflict, nor is a Secret that was deleted', async () => {
  const store = secretStore(api.client(), 'd');
  await store.write('identity', 'first');
  await api.client().patch('Secret', 'd', 'caravan-identity', { metadata: { labels: { by: 'hand' } } });
  await store.write('identity', 'second');
  assert.equal(await store.read('identity'), 'second');
  api.remove('Secret', 'd', 'caravan-identity');
  await store.write('identity', 'third');
  assert.equal(await store.read('identity'), 'third');
});
