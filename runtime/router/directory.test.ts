import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createEngine } from '../routing/engine.ts';
import type { Offer, RouterInfo } from '../routing/types.ts';
import { Directory } from './directory.ts';

const self: RouterInfo = { id: 'a', site: { id: 'a', name: 'east' }, version: '0', platform: 'host' };
const offer = (targets: string[]): Offer => ({
  address: 'orders',
  type: 'http',
  distribution: 'closest',
  ports: [
    { port: 80, targets },
    { port: 443, targets: ['secure'], exact: true },
    { port: 90, targets: ['beta'], rule: { path: '/beta' } },
  ],
});

it('a directory says what the tables said when it was first asked, until it is told to forget', () => {
  const engine = createEngine(self, 1);
  const directory = new Directory(engine);
  const targets = (port: number) => directory.of('orders', port).servers.map(({ target }) => target);
  assert.deepEqual(targets(80), []);
  engine.setOffers([offer(['one', 'two'])]);
  assert.deepEqual(targets(80), []);
  directory.forget();
  assert.deepEqual([targets(80), targets(443), targets(1)], [['one', 'two', 'beta'], ['secure'], ['one', 'two', 'beta']]);
  assert.equal(directory.of('orders', 80), directory.of('orders', 80), 'it is worked out once');
  assert.equal(directory.of('orders', 80).distribution, 'closest');
});

it('a directory counts a server that takes certain requests only as none for connections', () => {
  const engine = createEngine(self, 1);
  engine.setOffers([offer(['one', 'two'])]);
  const { destinations } = new Directory(engine).of('orders', 1);
  assert.deepEqual(destinations, [{ key: 'a', cost: 0, targets: 2, place: { router: 'a' }, site: 'east' }]);
});
