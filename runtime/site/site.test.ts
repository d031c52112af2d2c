import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { until } from '../../test/support/until.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { silentLog } from '../log.ts';
import type { Resource } from './resources.ts';
import { Site } from './site.ts';
import { closeSites, link, resourcesOf, start } from './sites.testkit.ts';
import type { WishedState } from './source.ts';

const NOTHING: WishedState = { resources: [], problems: [] };

afterEach(closeSites);

describe('a site that cannot write what it remembers', () => {
  it('runs on, and says so', async (t) => {
    const busy = createServer();
    await new Promise<void>((resolve) => void busy.listen(0, '127.0.0.1', resolve));
    t.after(() => busy.close());
    const { port } = busy.address() as { port: number };
    const [west, east] = await Promise.all([start('west'), start('east', { autoListen: 'loopback' })]);
    east.store.broken = 'ports';
    // The service's own port is taken here, so that the listener gets one that is to be remembered.
    await west.site.expose({ address: 'orders', port });
    await link(west.site, east.site);
    await until('the problem', () => east.site.status().problems.some(({ message }) => message.includes('no space left')));
    assert.equal(east.site.status().listeners[0]?.state, 'open');
  });

  it('cuts the links of a site that is revoked all the same', async () => {
    const [west, east] = await Promise.all([start('west'), start('east')]);
    await link(west.site, east.site);
    west.store.broken = 'issued';
    await assert.rejects(west.site.revoke('east'), {
      code: 'not-saved',
      message: /^east is cut off, but only until this site restarts: the memory of a test cannot be written \(no space left\)\./,
    });
    assert.deepEqual(west.site.status().links, []);
  });
});

it('a site that cannot read one of its sources leaves none that runs on', async () => {
  let closed = 0;
  const close = async () => void closed++;
  const good = { watch: async (changed: (state: WishedState) => void) => changed(NOTHING), close };
  const bad = { watch: () => Promise.reject(new Error('not now')), close };
  const starting = Site.start({ store: new MemoryStore(), sources: [good, bad], platform: 'host', log: silentLog });
  await assert.rejects(starting, /not now/);
  assert.equal(closed, 2);
});

describe('where others reach a site in a cluster', () => {
  const startIn = async (settings: Record<string, string>, access: WishedState['access']) => {
    const [site, way] = resourcesOf('west');
    const resources = [site!, { ...way!, spec: { ...way!.spec, settings } } as Resource];
    const watch = async (changed: (state: WishedState) => void) => changed({ ...NOTHING, resources, ...(access && { access }) });
    const source = { watch, close: async () => {} };
    const started = await Site.start({ store: new MemoryStore(), sources: [source], platform: 'kubernetes', log: silentLog });
    await started.close();
    return started.status().access;
  };
  const nodes = ['192.0.2.1', '192.0.2.2'].map((host) => ({ host, port: 30_123, way: 'NodePort' }));

  it('is where the cluster says', async () => assert.deepEqual(await startIn({}, nodes), nodes));

  it('is the name that the RouterAccess gives, at the port that the cluster gives', async () => {
    const host = 'west.example.com';
    assert.deepEqual(await startIn({ host }, nodes), [{ host, port: 30_123, way: 'NodePort' }]);
  });
});

it('links of sites that have the same name are told apart', async () => {
  const [west, one, other] = await Promise.all([start('west'), start('ada'), start('ada')]);
  await link(west.site, one.site);
  await link(west.site, other.site);
  assert.deepEqual(
    west.site.status().links.map(({ id, peer }) => `${id} ${peer}`),
    ['from-ada ada', 'from-ada-2 ada'],
  );
});

it('a site that was revoked is not let in by another token', async () => {
  const [west, east] = await Promise.all([start('west'), start('east')]);
  const { yaml } = await west.site.issueToken({ uses: 2 });
  await east.site.redeemToken({ yaml });
  assert.equal(await west.site.revoke('east'), 1);
  await assert.rejects(east.site.redeemToken({ yaml }), { code: 'revoked' });
  await assert.rejects(west.site.revoke('nobody'), { code: 'not-found' });
});

describe('what a command makes', () => {
  it('does not replace what another made for an address that only looks alike', async () => {
    const { site } = await start('west');
    await site.expose({ address: 'orders/db', port: 5432 });
    await site.expose({ address: 'orders-db', port: 5432 });
    await site.expose({ address: '_', port: 80 });
    const { connectors, problems } = site.status();
    assert.deepEqual(connectors.map(({ address }) => address).sort(), ['_', 'orders-db', 'orders/db']);
    assert.deepEqual(problems, []);
  });

  it('is refused where it cannot be had, and then not kept', async () => {
    const { site, store } = await start('west');
    const refused = (made: Promise<unknown>, message: string | RegExp) => assert.rejects(made, { code: 'bad-request', message });
    const distribution = 'multicast';
    await refused(
      site.expose({ address: 'a', port: 1, distribution }),
      'multicast is for udp and http, not for tcp; use balanced or closest.',
    );
    await refused(site.listen({ address: '', port: 1 }), /^The address is empty, which is for amqp only/);
    await refused(site.expose({ address: 'a b', port: 1 }), /spec\.routingKey is "a b"; it may have letters/);
    assert.ok(![...store.entries.keys()].some((name) => name.startsWith('resources/')));
  });
});

it('a defect in what a site makes of its resources is a problem, until they change', async () => {
  const { site, source } = await start('west');
  const broken = { kind: 'Listener', name: 'a', where: 'the test' } as unknown as Resource;
  source.set([...resourcesOf('west'), broken]);
  assert.match(site.status().problems.at(-1)!.message, /^It could not be applied because of a defect: /);
  source.set(resourcesOf('west'));
  assert.deepEqual(site.status().problems, []);
});
