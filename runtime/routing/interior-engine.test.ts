import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Mesh } from './mesh.testkit.ts';
import { FORGET_AFTER_MS } from './limits.ts';
import type { Offer } from './types.ts';

describe('routing engine', () => {
  it('finds the cheapest path, not the shortest', () => {
    const mesh = new Mesh(['a', 'b', 'c', 'd']);
    mesh.link('a', 'd', 10);
    mesh.link('a', 'b', 2);
    mesh.link('b', 'c', 3);
    mesh.link('c', 'd', 4);
    mesh.settle();
    assert.deepEqual(mesh.path('a', 'd'), { cost: 9, first: 'b', hops: 3 });
    assert.deepEqual(mesh.path('d', 'a'), { cost: 9, first: 'c', hops: 3 });
  });

  it('agrees on the path through the lower id among equals', () => {
    const mesh = new Mesh(['a', 'b', 'c', 'd']);
    mesh.link('a', 'c', 1);
    mesh.link('a', 'b', 1);
    mesh.link('c', 'd', 1);
    mesh.link('b', 'd', 1);
    mesh.settle();
    assert.equal(mesh.path('a', 'd')?.first, 'b');
    assert.equal(mesh.path('d', 'a')?.first, 'b');
  });

  it('tells a new service to the far end of a line of ten', () => {
    const names = Array.from('abcdefghij');
    const mesh = new Mesh(names);
    for (const [at, name] of names.slice(1).entries()) mesh.link(names[at]!, name, 1);
    mesh.settle();
    mesh.offer('a', 'backend', 8080);
    mesh.settle();
    assert.deepEqual(mesh.offeredAt('j', 'backend'), ['a']);
    mesh.offer('a');
    mesh.settle();
    assert.deepEqual(mesh.addresses('j'), [], 'a withdrawn service is gone everywhere');
  });

  it('goes around a link that is cut, and returns when it is back', () => {
    const mesh = new Mesh(['a', 'b', 'c']);
    const short = mesh.link('a', 'c', 1);
    mesh.link('a', 'b', 1);
    mesh.link('b', 'c', 1);
    mesh.settle();
    mesh.cut(short);
    mesh.settle();
    assert.equal(mesh.path('a', 'c')?.first, 'b');
    mesh.link('a', 'c', 1);
    mesh.settle();
    assert.equal(mesh.path('a', 'c')?.first, 'c');
  });

  it('heals a partition in which both sides went on changing', () => {
    const mesh = new Mesh(['a', 'b', 'c', 'd']);
    mesh.link('a', 'b', 1);
    mesh.link('c', 'd', 1);
    const bridge = mesh.link('b', 'c', 1);
    mesh.offer('a', 'old', 1);
    mesh.settle();
    mesh.cut(bridge);
    mesh.offer('a', 'left', 1);
    mesh.offer('d', 'right', 1);
    mesh.settle();
    assert.deepEqual(mesh.offeredAt('d', 'old'), [], 'what lies behind the cut cannot be reached');
    assert.deepEqual(mesh.addresses('d').sort(), ['old', 'right'], 'but it is remembered');
    mesh.link('b', 'c', 1);
    mesh.settle();
    for (const name of ['a', 'b', 'c', 'd']) assert.deepEqual(mesh.addresses(name).sort(), ['left', 'right']);
  });

  it('forgets a router that stays out of reach', () => {
    const mesh = new Mesh(['a', 'b']);
    const link = mesh.link('a', 'b', 1);
    mesh.offer('b', 'orders', 5432);
    mesh.settle();
    mesh.cut(link);
    mesh.settle();
    mesh.tick(1000);
    mesh.tick(FORGET_AFTER_MS - 10_000);
    assert.deepEqual(mesh.addresses('a'), ['orders']);
    mesh.tick(20_000);
    assert.deepEqual(mesh.addresses('a'), []);
  });

  it('forgets it also where its own clock was set back meanwhile', () => {
    const mesh = new Mesh(['a', 'b']);
    const link = mesh.link('a', 'b', 1);
    mesh.offer('b', 'orders', 5432);
    mesh.tick(86_400_000);
    mesh.settle();
    mesh.cut(link);
    mesh.tick(1000);
    assert.deepEqual(mesh.addresses('a'), ['orders']);
    mesh.tick(-86_400_000);
    assert.deepEqual(mesh.addresses('a'), []);
  });

  it('believes a restarted router, even one whose clock was set back', () => {
    const mesh = new Mesh(['a', 'b', 'c']);
    mesh.link('a', 'b', 1);
    mesh.link('b', 'c', 1);
    mesh.offer('a', 'before', 1);
    mesh.settle();
    mesh.restart('a', { instance: 5 });
    mesh.link('a', 'b', 1);
    mesh.offer('a', 'after', 1);
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), ['after']);
    assert.equal(mesh.path('c', 'a')?.cost, 2);
  });

  it('uses the cheaper of two links to one neighbour and follows a change of cost', () => {
    const mesh = new Mesh(['a', 'b']);
    const slow = mesh.link('a', 'b', 5);
    const fast = mesh.link('a', 'b', 2);
    mesh.settle();
    assert.equal(mesh.engine('a').nextHop({ router: 'b' }), fast);
    mesh.setCost(fast, 9);
    mesh.settle();
    assert.equal(mesh.engine('a').nextHop({ router: 'b' }), slow);
    assert.equal(mesh.path('a', 'b')?.cost, 5);
  });

  it('recovers from lost messages by comparing digests', () => {
    const mesh = new Mesh(['a', 'b', 'c']);
    mesh.link('a', 'b', 1);
    mesh.link('b', 'c', 1);
    mesh.settle();
    mesh.offer('a', 'lost', 1);
    mesh.loseAll();
    mesh.offer('a', 'lost', 1, 'found', 2);
    mesh.settle();
    mesh.tick(60_000);
    mesh.settle();
    assert.deepEqual(mesh.addresses('c').sort(), ['found', 'lost']);
  });

  it('never offers more than a neighbour takes', () => {
    const mesh = new Mesh(['a', 'b']);
    const link = mesh.link('a', 'b', 1);
    mesh.settle();
    const targets = Array.from({ length: 300 }, (_, at) => `${at}-${'x'.repeat(300)}`);
    const ports = Array.from({ length: 100 }, (_, at) => ({ port: at + 1, targets, exact: true as const }));
    const offer = { address: 'large', type: 'tcp', distribution: 'balanced', ports } as const;
    const { send } = mesh.engine('a').setOffers([offer]);
    const { cut } = mesh.engine('b').receive(link, send[0]!.message, 0);
    assert.deepEqual(cut, []);
    assert.deepEqual(mesh.addresses('b'), ['large']);
    assert.deepEqual(mesh.engine('a').setOffers([offer]).send, [], 'what did not change does not travel');
  });

  it('never offers what neighbours cut the link for', () => {
    const mesh = new Mesh(['a', 'b']);
    mesh.link('a', 'b', 1);
    mesh.offer('a', 'my queue', 1, 'x'.repeat(254), 1, 'a\u0007', 1, '', 1, 'good', 70_000, 'better', 1);
    mesh.settle();
    assert.deepEqual([mesh.addresses('a'), mesh.addresses('b')], [['better'], ['better']]);
  });

  it('passes over what a later version says, and passes on words that it does not know', () => {
    const mesh = new Mesh(['a', 'b', 'c']);
    const link = mesh.link('a', 'b', 1);
    mesh.link('b', 'c', 1);
    mesh.settle();
    assert.deepEqual(mesh.engine('b').receive(link, { kind: 'gossip', more: 1 }, 0), { send: [], changed: false, cut: [] });
    const ports = [{ port: 1, targets: ['server'] }];
    const offer = { address: 'news', type: 'quic', distribution: 'nearest-two', ports } as unknown as Offer;
    mesh.give('a', offer);
    mesh.settle();
    assert.deepEqual(mesh.engine('c').offersOf('news')[0]?.offer, offer);
  });

  for (const [what, message] of Object.entries({
    'no object': 'hello',
    'no kind': { kind: 7 },
    'a negative sequence number': { kind: 'offers', origin: 'x', instance: 1, seq: -1, offers: [] },
    'an endless cost': {
      kind: 'topology',
      origin: 'x',
      instance: 1,
      seq: 1,
      router: routerOf('x'),
      neighbors: [{ id: 'a', cost: 1e12 }],
    },
    'a topology of another router': { kind: 'topology', origin: 'x', instance: 1, seq: 1, router: routerOf('y'), neighbors: [] },
    'an offer without servers': {
      kind: 'offers',
      origin: 'x',
      instance: 1,
      seq: 1,
      offers: [{ address: 'a', type: 'tcp', distribution: 'balanced', ports: [] }],
    },
  }))
    it(`cuts off a neighbour that sends ${what}, and changes nothing`, () => {
      const mesh = new Mesh(['a', 'b']);
      const link = mesh.link('a', 'b', 1);
      mesh.settle();
      const before = mesh.engine('a').routers();
      const { cut, changed } = mesh.engine('a').receive(link, message, 0);
      assert.equal(cut.length, 1);
      assert.equal(cut[0]!.link, link);
      assert.match(cut[0]!.reason, /routing message|advertisement/);
      assert.equal(changed, false);
      assert.deepEqual(mesh.engine('a').routers(), before);
    });
});

function routerOf(id: string) {
  return { id, site: { id, name: id }, version: '1', platform: 'host' };
}

describe('a router that ends', () => {
  it('is forgotten at once where it left for good, and comes back as new', () => {
    const mesh = new Mesh(['a', 'b', 'c']);
    mesh.link('a', 'b', 1);
    mesh.link('b', 'c', 1);
    mesh.offer('a', 'mine', 1);
    mesh.settle();
    mesh.leave('a');
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), []);
    assert.deepEqual(mesh.names('c'), ['b', 'c']);
    mesh.restart('a', { instance: 2000 });
    mesh.link('a', 'b', 1);
    mesh.offer('a', 'mine', 1);
    mesh.settle();
    assert.deepEqual(mesh.offeredAt('c', 'mine'), ['a']);
    assert.deepEqual(mesh.names('c'), ['a', 'b', 'c']);
  });
});
