/** The picture that Caravan began with: B sends to an address, A and C elsewhere get copies, and the link that both share carries one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { UdpPeer } from '../support/udp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

const DATAGRAMS = 500;
const BYTES = 1200;

describe('a multicast to an address', () => {
  let sites: SiteProcesses;
  let a: SiteProcess, b: SiteProcess, c: SiteProcess, hub: SiteProcess;
  let linkAtB: string;
  const subscribers = new Map<string, UdpPeer>();
  let sender: UdpPeer;

  before(async () => {
    sites = await SiteProcesses.make();
    [a, b, c, hub] = await sites.start('a', 'b', 'c', 'hub');
    linkAtB = await sites.link(hub, b);
    await sites.link(hub, a);
    await sites.link(hub, c);
    for (const site of [a, c]) {
      const peer = await UdpPeer.start((question) => `${site.name} got ${question.length}`);
      subscribers.set(site.name, peer);
      await site.api.expose({ address: 'news', port: peer.port, type: 'udp', distribution: 'multicast' });
    }
    sender = await UdpPeer.start();
  });
  after(async () => {
    await sites.stop();
    await Promise.all([...subscribers.values(), sender].map((peer) => peer.stop()));
  });

  it('sends one copy over the shared link, and each subscriber gets every datagram once', async () => {
    await b.status('both', ({ services }) => services[0]?.destinations.length === 2);
    const port = await b.listen('news', 'udp');
    const sentBefore = await bytesOut();
    for (let at = 0; at < DATAGRAMS; at++) {
      sender.send(Buffer.alloc(BYTES, at % 256), port);
      // A sender that never lets go of the processor would overrun the socket's buffer before anyone can read it.
      if (at % 20 === 19) await until('the copies', () => sender.received.length >= 2 * (at + 1));
    }
    await until('every answer', () => sender.received.length === 2 * DATAGRAMS);
    for (const { received } of subscribers.values()) assert.equal(received.length, DATAGRAMS);
    const sent = (await bytesOut()) - sentBefore;
    console.log(
      `# ${2 * DATAGRAMS} copies of ${BYTES} bytes: ${(sent / DATAGRAMS).toFixed(0)} bytes a datagram on the shared link`,
    );
    assert.ok(sent < 1.5 * DATAGRAMS * BYTES, `${sent} bytes passed the shared link`);
    assert.deepEqual([...new Set(sender.texts)].sort(), [`a got ${BYTES}`, `c got ${BYTES}`]);
  });

  async function bytesOut(): Promise<number> {
    return b.status('the link', ({ links }) => links.find(({ id }) => id === linkAtB)?.bytesOut);
  }
});
