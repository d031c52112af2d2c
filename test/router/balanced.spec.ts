/** How held connections spread over servers at several sites. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { dial, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

/** Eight servers at three sites. */
const SERVERS = { west: 3, east: 3, north: 2 };

describe('eight servers of one address at three sites', () => {
  let sites: SiteProcesses;
  let client: SiteProcess;
  const servers: { site: string; server: TestServer }[] = [];
  const held: Socket[] = [];
  let port: number;

  before(async () => {
    sites = await SiteProcesses.make();
    const [here, ...others] = await sites.start('client', 'west', 'east', 'north');
    client = here;
    for (const site of others) {
      await sites.link(site, client);
      for (let count = 0; count < SERVERS[site.name as keyof typeof SERVERS]; count++) {
        const server = await TestServer.start((socket) => socket.resume());
        servers.push({ site: site.name, server });
        await site.api.expose({ address: 'backend', port: server.port });
      }
    }
    port = await client.listen('backend');
    await client.status('all servers', ({ services }) => services[0]?.destinations.length === servers.length);
  });
  after(async () => {
    for (const socket of held) socket.destroy();
    await sites.stop();
    await Promise.all(servers.map(({ server }) => server.stop()));
  });

  for (const count of [28, 94, 500])
    it(`have ${count} held connections in equal shares`, async () => {
      while (held.length < count) held.push(dial(port));
      const total = () => servers.reduce((sum, { server }) => sum + server.sockets.size, 0);
      await until('all to be connected', () => total() === count);
      const shares = servers.map(({ site, server }) => `${site} ${server.sockets.size}`);
      console.log(`# ${count} connections: ${shares.join(', ')}`);
      const sizes = servers.map(({ server }) => server.sockets.size);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, shares.join());
      const listening = await client.status('the count', ({ listeners }) => listeners[0]);
      assert.equal(listening.connections, count);
    });
});
