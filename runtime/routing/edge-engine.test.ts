import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORGET_AFTER_MS, MAX_NAME_LENGTH } from './limits.ts';
import { Mesh } from './mesh.testkit.ts';
import type { Offer } from './types.ts';

/** a — b — c in a line, of cost 1 each. */
function line(): Mesh {
  const mesh = new Mesh(['a', 'b', 'c']);
  mesh.link('a', 'b', 1);
  mesh.link('b', 'c', 1);
  mesh.settle();
  return mesh;
}

/** Where an address is reachable, and at what cost. */
function ways(mesh: Mesh, from: string, address: string): Record<string, number> {
  const known = mesh.engine(from).offersOf(address);
  return Object.fromEntries(known.flatMap(({ router, cost }) => (cost === undefined ? [] : [[router.id, cost]])));
}

describe('an edge router', () => {
  it('knows every service and how far it is, and nothing of the links in between', () => {
    const mesh = line();
    mesh.offer('c', 'orders', 5432);
    mesh.addEdges('laptop');
    const uplink = mesh.link('laptop', 'a', 3);
    mesh.settle();
    assert.deepEqual(ways(mesh, 'laptop', 'orders'), { c: 5 });
    assert.equal(mesh.engine('laptop').nextHop({ router: 'c' }), uplink);
    const { neighbors } = mesh
      .engine('laptop')
      .routers()
      .find(({ id }) => id === 'b')!;
    assert.deepEqual(neighbors, []);
  });

  it('may offer the longest address that there is, and withdraw it, and no link is cut', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.link('laptop', 'a', 3);
    const address = 'x'.repeat(MAX_NAME_LENGTH);
    mesh.offer('laptop', address, 80);
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), [address]);
    mesh.offer('laptop');
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), []);
  });

  it('is known everywhere by what it offers, as hanging on its uplink', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.offer('laptop', 'debug', 3000);
    mesh.link('laptop', 'a', 3);
    mesh.settle();
    assert.deepEqual(ways(mesh, 'c', 'debug'), { laptop: 5 });
    assert.deepEqual(mesh.engine('c').offersOf('debug')[0]?.place, { router: 'a', edge: 'laptop' });
    assert.deepEqual(ways(mesh, 'laptop', 'debug'), { laptop: 0 }, 'its own comes back to it from nowhere');
    mesh.offer('laptop');
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), []);
  });

  it('that offers nothing says nothing to interior routers beyond its own', () => {
    const mesh = line();
    const before = mesh.engine('a').routers().length;
    mesh.addEdges('laptop');
    mesh.link('laptop', 'a', 1);
    mesh.settle();
    assert.equal(mesh.engine('b').routers().length, before);
    assert.deepEqual(mesh.names('a'), ['a', 'b', 'c', 'laptop'], 'the router that it hangs on knows it');
  });

  it('uses one uplink, and the cheapest of the others when that is lost', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.offer('laptop', 'debug', 3000);
    const first = mesh.link('laptop', 'a', 1);
    mesh.link('laptop', 'b', 7);
    mesh.link('laptop', 'c', 2);
    mesh.settle();
    assert.deepEqual(ways(mesh, 'b', 'debug'), { laptop: 2 });
    mesh.cut(first);
    assert.deepEqual(ways(mesh, 'laptop', 'debug'), { laptop: 0 });
    mesh.settle();
    assert.deepEqual(ways(mesh, 'b', 'debug'), { laptop: 3 });
    const known = mesh.engine('a').offersOf('debug');
    assert.deepEqual(Object.fromEntries(known.map(({ place, cost }) => [place.router, cost])), { a: undefined, c: 4 });
  });

  it('carries nothing between its uplinks: no path leads through it', () => {
    const mesh = new Mesh(['a', 'b']);
    mesh.addEdges('laptop');
    mesh.link('laptop', 'a', 1);
    mesh.link('laptop', 'b', 1);
    mesh.settle();
    assert.equal(mesh.path('a', 'b'), undefined);
  });

  it('learns of costs that change, routers that go, and those that come', () => {
    const mesh = line();
    mesh.offer('c', 'orders', 5432);
    mesh.addEdges('laptop');
    mesh.link('laptop', 'a', 1);
    const detour = mesh.link('a', 'c', 9);
    mesh.settle();
    assert.deepEqual(ways(mesh, 'laptop', 'orders'), { c: 3 });
    mesh.setCost(detour, 1);
    mesh.settle();
    assert.deepEqual(ways(mesh, 'laptop', 'orders'), { c: 2 });
    mesh.leave('c');
    mesh.settle();
    assert.deepEqual(mesh.addresses('laptop'), []);
  });

  it('keeps what it knows when its uplink is lost, as out of reach, and forgets it in the end', () => {
    const mesh = line();
    mesh.offer('c', 'orders', 5432);
    mesh.addEdges('laptop');
    const uplink = mesh.link('laptop', 'a', 1);
    mesh.settle();
    mesh.cut(uplink);
    mesh.settle();
    assert.deepEqual(mesh.addresses('laptop'), ['orders']);
    assert.deepEqual(ways(mesh, 'laptop', 'orders'), {});
    mesh.tick(FORGET_AFTER_MS + 2000);
    mesh.tick(2000);
    assert.deepEqual(mesh.addresses('laptop'), []);
    assert.deepEqual(mesh.names('laptop'), ['laptop']);
  });

  it('that falls silent is remembered without servers for a while; one that leaves is not', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.offer('laptop', 'debug', 3000);
    const uplink = mesh.link('laptop', 'a', 1);
    mesh.settle();
    mesh.cut(uplink);
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), ['debug']);
    assert.deepEqual(ways(mesh, 'c', 'debug'), {});
    mesh.link('laptop', 'a', 1);
    mesh.settle();
    assert.deepEqual(ways(mesh, 'c', 'debug'), { laptop: 3 });
    mesh.leave('laptop');
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), []);
  });

  it('that starts anew with a clock set back is believed', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.offer('laptop', 'before', 1);
    mesh.link('laptop', 'a', 1);
    mesh.settle();
    mesh.restart('laptop', { instance: 5, role: 'edge' });
    mesh.offer('laptop', 'after', 1);
    mesh.link('laptop', 'a', 1);
    mesh.settle();
    assert.deepEqual(mesh.addresses('c'), ['after']);
  });

  it('shows that a copy of its data runs elsewhere', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.offer('laptop', 'debug', 3000);
    mesh.link('laptop', 'a', 1);
    mesh.settle();
    const copy: Offer = { ...offer('debug'), edge: { router: mesh.engine('laptop').self, cost: 1 } };
    mesh.give('c', copy);
    mesh.settle();
    mesh.tick(2000);
    assert.equal(mesh.engine('laptop').isContested, false, 'not at once: an uplink that was just left says the same');
    for (let passed = 0; passed < 20_000; passed += 2000) mesh.tick(2000);
    assert.equal(mesh.engine('laptop').isContested, true);
  });

  for (const [what, message] of Object.entries({
    'the topology of the network': {
      kind: 'topology',
      origin: 'laptop',
      instance: 1,
      seq: 1,
      router: { id: 'laptop', site: { id: 'laptop', name: 'laptop' }, version: '1', platform: 'host' },
      neighbors: [{ id: 'c', cost: 1 }],
    },
    'offers of another router': { kind: 'offers', origin: 'b', instance: 9e15, seq: 1, offers: [] },
    'offers as if others hung on it': {
      kind: 'offers-delta',
      origin: 'laptop',
      instance: 1000,
      seq: 2,
      put: [
        {
          ...offer('x'),
          edge: { router: { id: 'y', site: { id: 'y', name: 'y' }, version: '1', platform: 'host' }, cost: 1 },
        },
      ],
      drop: [],
    },
  }))
    it(`is cut off when it sends ${what}`, () => {
      const mesh = line();
      mesh.addEdges('laptop');
      const uplink = mesh.link('laptop', 'a', 1);
      mesh.settle();
      const { cut, changed } = mesh.engine('a').receive(uplink, message, 0);
      assert.match(cut[0]!.reason, /^an edge router /);
      assert.equal(changed, false);
    });

  it('cannot make the router that it hangs on offer more than others take', () => {
    const mesh = line();
    mesh.addEdges('laptop');
    mesh.link('laptop', 'a', 1);
    mesh.settle();
    mesh.offer('laptop', ...Array.from({ length: 3000 }, (_, at) => [`service-${at}`, 1]).flat());
    mesh.settle();
    assert.equal(mesh.addresses('c').length, 2000);
  });
});

function offer(address: string): Offer {
  return { address, type: 'tcp', distribution: 'balanced', ports: [{ port: 1, targets: ['server'] }] };
}
