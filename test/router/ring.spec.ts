import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, dial, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

describe('four sites in a ring', () => {
  let sites: SiteProcesses;
  let ring: SiteProcess[];
  let server: TestServer;
  let port: number;
  const linkNames: string[] = [];

  before(async () => {
    sites = await SiteProcesses.make();
    ring = await sites.start('north', 'east', 'south', 'west');
    for (const [at, site] of ring.entries()) linkNames.push(await sites.link(site, ring[(at + 1) % 4]!));
    server = await TestServer.start((socket) => socket.pipe(socket));
    await ring[0]!.api.expose({ address: 'echo', port: server.port });
    port = await ring[2]!.listen('echo');
  });
  after(async () => {
    await sites.stop();
    await server.stop();
  });

  it('knows every site and every service everywhere', async () => {
    for (const site of ring)
      await site.status('all sites and the service', ({ sites: known, services }) => {
        const names = known.filter(({ reachable }) => reachable).map(({ name }) => name);
        return names.sort().join() === 'east,north,south,west' && services[0]?.destinations[0]?.site === 'north';
      });
  });

  it('loses no new connection after a link was cut, and none of the other path ever', async () => {
    assert.equal(await ask(port, 'before'), 'before');
    const cutAt = performance.now();
    // The ring's second link, north to east, is the one that south uses: the lower id wins among equal paths, so cut both in turn.
    await ring[1]!.api.remove({ kind: 'Link', name: linkNames[0]! });
    await ring[2]!.status('north with one neighbour', ({ sites: known }) => {
      const north = known.find(({ name }) => name === 'north');
      return north?.reachable === true && north.neighbors.length === 1;
    });
    await until('the first answer after the cut', async () => (await ask(port, 'again')) === 'again');
    console.log(`# first answer ${Math.round(performance.now() - cutAt)} ms after the cut`);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(port, `after ${at}`)));
    assert.deepEqual(
      answers,
      Array.from({ length: 100 }, (_, at) => `after ${at}`),
    );
  });

  it('refuses connections once the service is withdrawn, and takes them again when it is back', async () => {
    await ring[0]!.api.remove({ kind: 'Connector', name: `echo-${server.port}` });
    await until('the port to refuse', () => refused(port));
    await ring[0]!.api.expose({ address: 'echo', port: server.port });
    await until('the port to be open again, the same', async () => (await ask(port, 'back')) === 'back');
  });

  it('forgets what a killed site offered, and finds it again after a restart', async () => {
    await ring[0]!.kill();
    await until('the port to refuse', () => refused(port));
    const service = await ring[2]!.status('since when it is offered nowhere', ({ services }) =>
      services.find(({ lastOffered }) => lastOffered),
    );
    assert.deepEqual(service.destinations, []);
    await ring[0]!.start();
    await until('an answer from the restarted site', async () => (await ask(port, 'restarted')) === 'restarted');
  });

  it('agrees, at every site, on who is next to whom', async () => {
    await sites.link(ring[0]!, ring[1]!);
    for (const site of ring)
      await site.status('four links', ({ sites: known }) => known.every(({ neighbors }) => neighbors.length === 2));
  });
});

describe('balanced', () => {
  let sites: SiteProcesses;
  let servers: TestServer[];
  before(async () => {
    sites = await SiteProcesses.make();
    servers = await Promise.all(Array.from({ length: 4 }, () => TestServer.start(() => {})));
  });
  after(async () => {
    await sites.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('gives every server of every site its share of held connections', async () => {
    const [client, near, far] = await sites.start('client', 'near', 'far');
    await sites.link(client, near);
    await sites.link(client, far);
    for (const [at, server] of servers.entries()) await (at < 2 ? near : far).api.expose({ address: 'held', port: server.port });
    const port = await client.listen('held');
    await client.status('both sites', ({ services }) => services[0]?.destinations.length === 4);
    const clients = Array.from({ length: 40 }, () => dial(port));
    await until('all connections', () => servers.reduce((sum, { sockets }) => sum + sockets.size, 0) === 40);
    console.log(`# held: ${servers.map(({ sockets }) => sockets.size).join(', ')}`);
    for (const { sockets } of servers) assert.ok(Math.abs(sockets.size - 10) <= 1, `${sockets.size} of 40 at one of four`);
    for (const socket of clients) socket.destroy();
  });
});

/** Whether the port refuses a connection. */
function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port);
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}
