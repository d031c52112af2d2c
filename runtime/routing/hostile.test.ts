import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORGET_AFTER_MS, INSTANCES_PER_MS, MAX_INSTANCE_AHEAD_MS } from './limits.ts';
import { Mesh } from './mesh.testkit.ts';
import type { TopologyAdvert } from './types.ts';

/** An announcement as somebody might make one up. */
function advert(origin: string, instance: number): TopologyAdvert {
  const router = { id: origin, site: { id: origin, name: origin }, version: '1', platform: 'host' } as const;
  return { kind: 'topology', origin, instance, seq: 1, router, neighbors: [] };
}

describe('what a member of the network may do to others', () => {
  it('cannot lock a router out with a word in its name that nothing can outbid', () => {
    const mesh = new Mesh(['victim', 'liar']);
    const link = mesh.link('victim', 'liar', 1);
    mesh.settle();
    const { cut, send, changed } = mesh.engine('victim').receive(link, advert('victim', Number.MAX_SAFE_INTEGER), 0);
    assert.deepEqual({ cut, send, changed }, { cut: [], send: [], changed: false });
    const far = (MAX_INSTANCE_AHEAD_MS - 1) * INSTANCES_PER_MS;
    const answer = mesh.engine('victim').receive(link, advert('victim', far), 0).send[0]!;
    assert.ok((answer.message as TopologyAdvert).instance > far);
    assert.deepEqual(mesh.engine('liar').receive(link, answer.message, 1).cut, [], 'and is believed again');
  });

  it('passes on no field that is not known', () => {
    const mesh = new Mesh(['a', 'b', 'c']);
    const near = mesh.link('a', 'b', 1);
    mesh.link('b', 'c', 1);
    mesh.settle();
    const { send } = mesh.engine('b').receive(near, { ...advert('x', 1), more: [[[[]]]] }, 0);
    assert.deepEqual(
      send.map(({ message }) => Object.keys(message).includes('more')),
      [false],
    );
  });

  it('names no Secret whose path leads elsewhere', () => {
    const mesh = new Mesh(['a', 'b']);
    const link = mesh.link('a', 'b', 1);
    mesh.settle();
    const ports = [{ port: 443, targets: ['t'] }];
    const says = (listenerCredentials: string, seq: number) => {
      const offer = { address: 'x', type: 'tcp', distribution: 'balanced', listenerCredentials, ports };
      const offers = { kind: 'offers', origin: 'b', instance: 9_000_000, seq, offers: [offer] };
      return mesh.engine('a').receive(link, offers, 0).cut.length;
    };
    assert.deepEqual([says('x-tls', 1), says('..', 2)], [0, 1]);
  });

  it('asks for a request’s answer once, however often a router is named in it', () => {
    const mesh = new Mesh(['a', 'b']);
    const link = mesh.link('a', 'b', 1);
    mesh.offer('a', 'backend', 1);
    mesh.settle();
    const { send } = mesh.engine('a').receive(link, { kind: 'offers-request', origins: Array<string>(1000).fill('a') }, 0);
    assert.equal(send.length, 1);
  });

  it('makes two routers with one id outbid each other ever more slowly, and both know', () => {
    const mesh = new Mesh(['hub', 'twin']);
    mesh.link('hub', 'twin', 1);
    mesh.settle();
    const link = mesh.link('hub', 'twin', 1);
    let answers = 0;
    for (let now = 0, instance = 2000; now < 60_000; now += 100, instance += 2 * INSTANCES_PER_MS)
      answers += mesh.engine('twin').receive(link, advert('twin', instance), now).send.length > 0 ? 1 : 0;
    assert.ok(answers < 25, `${answers} answers in a minute`);
    assert.equal(mesh.engine('twin').isContested, true);
    assert.equal(mesh.engine('hub').isContested, false);
  });
});

describe('routers that are gone', () => {
  it('do not come back from a neighbour that forgets them later', () => {
    const mesh = new Mesh(['a', 'b', 'dead']);
    mesh.link('a', 'b', 1);
    const link = mesh.link('b', 'dead', 1);
    mesh.settle();
    mesh.cut(link);
    for (let passed = 0; passed <= FORGET_AFTER_MS + 120_000; passed += 10_000) {
      mesh.tick(10_000);
      mesh.settle();
    }
    assert.deepEqual(
      [mesh.names('a'), mesh.names('b')],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    );
  });
});
