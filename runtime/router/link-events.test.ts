import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Hello, Link } from '../link/link.ts';
import { silentLog } from '../log.ts';
import type { RouterInfo } from '../routing/types.ts';
import { linkEvents } from './link-events.ts';
import { Router } from './router.ts';

const infoOf = (id: string, name = id): RouterInfo => ({ id, site: { id, name }, version: '1', platform: 'host' });
const router = new Router(infoOf('here'), silentLog, () => {});
after(() => router.close());

/** What becomes of a neighbour with the certificate of `west` that says this. */
function greet(hello: unknown): RouterInfo | undefined {
  let peer: RouterInfo | undefined;
  const link = { sendRouting() {}, close() {} } as unknown as Link;
  const end = {
    id: 'link',
    link: () => link,
    siteId: 'west',
    cost: () => 1,
    up: (info: RouterInfo) => (peer = info),
    closed() {},
  };
  linkEvents(router, end).hello(hello as Hello);
  router.detach('link');
  return peer;
}

describe('a neighbour that says who it is', () => {
  it('is taken at its word where its certificate says the same', () => {
    assert.equal(greet({ router: infoOf('west'), instance: 1, cost: 3 })?.site.name, 'west');
  });

  for (const [what, hello, message] of [
    [
      'another site than its certificate',
      { router: { ...infoOf('east'), id: 'west' }, instance: 1 },
      /its certificate names another/,
    ],
    [
      'the name of another site’s router',
      { router: { ...infoOf('west'), id: 'east' }, instance: 1 },
      /its router is called east, which is not/,
    ],
    ['a name that only begins like its site', { router: { ...infoOf('west'), id: 'west-2' }, instance: 1 }, /is not of its site/],
    [
      'that it is this very router',
      { router: { ...infoOf('west'), id: 'here' }, instance: 1 },
      /it has the same id as this router/,
    ],
    ['nothing', null, /does not say properly/],
    ['no name', { router: infoOf('west', ''), instance: 1 }, /does not say properly/],
    ['an endless name', { router: infoOf('west', 'x'.repeat(254)), instance: 1 }, /does not say properly/],
    [
      'a number for a name',
      { router: { ...infoOf('west'), site: { id: 'west', name: 5 } }, instance: 1 },
      /does not say properly/,
    ],
    ['no start', { router: infoOf('west') }, /does not say when it started/],
    ['a cost of nothing', { router: infoOf('west'), cost: 0, instance: 1 }, /its cost is not a whole number from 1 to 1000000/],
    ['half a cost', { router: infoOf('west'), cost: 1.5, instance: 1 }, /its cost is not a whole number/],
  ] as const)
    it(`is turned away when it says ${what}`, () => {
      assert.throws(() => greet(hello), { name: 'ProtocolError', message });
      assert.deepEqual(
        router.engine.routers().map(({ id }) => id),
        ['here'],
        'nothing of it is believed',
      );
    });
});
