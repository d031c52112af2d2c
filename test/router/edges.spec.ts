/** Edge sites, as laptops are: they hang on interior sites, and carry nothing for others. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, TestServer } from '../support/tcp.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

describe('an edge with two uplinks', () => {
  let sites: SiteProcesses;
  let west: SiteProcess;
  let east: SiteProcess;
  let laptop: SiteProcess;
  const servers: TestServer[] = [];

  before(async () => {
    sites = await SiteProcesses.make();
    [west, east] = await sites.start('west', 'east');
    laptop = await sites.startEdge('laptop');
    await sites.link(west, east);
    await sites.link(west, laptop);
    await sites.link(east, laptop);
    for (const site of [east, laptop]) {
      const server = await TestServer.start((socket) => socket.on('end', () => socket.end(site.name)).resume());
      servers.push(server);
      await site.api.expose({ address: site.name, port: server.port });
    }
  });
  after(async () => {
    await sites.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('uses one and keeps the other ready', async () => {
    const links = await laptop.status('both links', (status) => status.links.length === 2 && status.links);
    assert.deepEqual(
      links.map(({ peer, state, standby = false }) => ({ peer, state, standby })).sort((a, b) => (a.peer! < b.peer! ? -1 : 1)),
      [
        { peer: 'east', state: 'up', standby: true },
        { peer: 'west', state: 'up', standby: false },
      ],
    );
  });

  it('reaches others and is reached by them', async () => {
    assert.equal(await ask(await laptop.listen('east'), ''), 'east');
    assert.equal(await ask(await east.listen('laptop'), ''), 'laptop');
    const known = await west.status('the laptop', ({ sites: all }) => all.find(({ name }) => name === 'laptop'));
    assert.equal(known.edge, true);
    assert.deepEqual(known.neighbors, [{ site: 'west', cost: 1 }]);
  });

  it('goes over to the other when the first is lost, and nobody has to wait for it to come back', async () => {
    const port = await laptop.listen('east');
    const begun = performance.now();
    await west.kill();
    await laptop.status(
      'the other uplink',
      ({ links }) => links.find(({ peer }) => peer === 'east' && true)?.standby === undefined,
    );
    assert.equal(await ask(port, ''), 'east');
    const back = await east.status('the laptop here', ({ services }) =>
      services.find(({ address, destinations }) => address === 'laptop' && destinations.length === 1),
    );
    console.log(`# its uplink went; it was reached through the other after ${Math.round(performance.now() - begun)} ms`);
    assert.equal(back.destinations[0]!.site, 'laptop');
    assert.equal(await ask(await east.listen('laptop'), ''), 'laptop');
  });

  it('stays where it is when the first comes back', async () => {
    await west.start();
    await laptop.status('both links', ({ links }) => links.every(({ state }) => state === 'up'));
    const standby = await laptop.status('who waits', ({ links }) => links.find((link) => link.standby)?.peer);
    assert.equal(standby, 'west');
    assert.equal(await ask(await west.listen('laptop'), ''), 'laptop');
  });

  it('takes no links, and says so', async () => {
    await laptop.write('access.yaml', [
      {
        apiVersion: 'skupper.io/v2alpha1',
        kind: 'RouterAccess',
        metadata: { name: 'links' },
        spec: { roles: [{ name: 'inter-router', port: 0 }] },
      },
    ]);
    const problem = await laptop.status('the problem', ({ problems }) => problems[0]);
    assert.match(problem.message, /^An edge site takes no links\. Remove the RouterAccess, or "edge: true" from Site laptop\.$/);
  });
});
