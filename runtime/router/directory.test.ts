import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createEngine, type KnownOffer } from '../routing/engine.ts';
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

it('a directory knows an edge that is in two places, as after a change of its uplink, where it is nearest', () => {
  const engine = createEngine(self, 1);
  const edge: RouterInfo = { id: 'laptop', site: { id: 'laptop', name: 'laptop' }, version: '0', platform: 'host', role: 'edge' };
  const at = (router: string, cost: number | undefined, targets: string[]): KnownOffer => {
    return { offer: offer(targets), place: { router, edge: edge.id }, router: edge, cost };
  };
  engine.offersOf = () => [at('b', 3, ['one']), at('c', 2, ['one', 'two']), at('d', undefined, ['gone'])];
  const { destinations, servers } = new Directory(engine).of('orders', 1);
  const place = { router: 'c', edge: 'laptop' };
  assert.deepEqual(destinations, [{ key: 'laptop', cost: 2, targets: 2, place, site: 'laptop' }]);
  assert.deepEqual(
    servers.map(({ target, place: { router } }) => `${target} ${router}`),
    ['one c', 'two c', 'beta c'],
  );
});

it('a directory counts a server that takes certain requests only as none for connections', () => {
  const engine = createEngine(self, 1);
  engine.setOffers([offer(['one', 'two'])]);
  const { destinations } = new Directory(engine).of('orders', 1);
  assert.deepEqual(destinations, [{ key: 'a', cost: 0, targets: 2, place: { router: 'a' }, site: 'east' }]);
});
