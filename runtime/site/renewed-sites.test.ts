/** Whole sites whose certificates end: what runs goes on, and what was asleep for too long says so. */
import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import { afterEach, it } from 'node:test';
import { DAY_MS, MovedClock } from '../../test/support/moved-clock.ts';
import { dial, TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import type { Issued } from '../identity/issued.ts';
import { dialTls } from '../link/dial.ts';
import type { Site } from './site.ts';
import { closeSites, link, start } from './sites.testkit.ts';

afterEach(closeSites);

/** Serial of the certificate that a site shows to who dials it now. */
async function shownBy(site: Site, authority: string): Promise<string> {
  const { access, site: self } = site.status();
  const credentials = { authority };
  const { host, port } = access[0]!;
  const socket = await dialTls({ host, port, credentials, siteId: self.id, signal: AbortSignal.timeout(10_000) });
  const { serialNumber } = (socket as TLSSocket).getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

function identityIn(store: { entries: Map<string, string> }) {
  return JSON.parse(store.entries.get('identity')!) as { authority: { certificate: string }; server: { certificate: string } };
}

it('both certificates of a link are renewed while a stream goes on, and the next dial uses them', async (t) => {
  const clock = new MovedClock(-250);
  const west = await start('west', {}, { clock });
  const east = await start('east', {}, { clock });
  await link(west.site, east.site);
  const echo = await TestServer.start((socket) => socket.pipe(socket));
  t.after(() => echo.stop());
  await west.site.expose({ address: 'echo', port: echo.port });
  await east.site.listen({ address: 'echo', port: 0 });
  const { port } = await until('the listener', () => east.site.status().listeners.find(({ state }) => state === 'open'));
  const client = dial(port);
  t.after(() => client.destroy());
  const says = async (text: string) => {
    client.write(text);
    const [answer] = (await new Promise((resolve) => void client.once('data', (...data) => resolve(data)))) as [Buffer];
    assert.equal(answer.toString(), text);
  };
  await says('before');

  const ends = () => [
    west.site.status().site.certificateEnds,
    east.site.status().links[0]?.certificateEnds,
    west.site.status().links[0]?.certificateEnds,
  ];
  const { authority } = identityIn(west.store);
  const [before, serial] = [ends(), await shownBy(west.site, authority.certificate)];
  const since = east.site.status().links[0]?.since;
  const looks = clock.timers;
  assert.equal(looks, 3, 'west, east, and the link');
  clock.pass(243 * DAY_MS);
  await until('the looks', () => clock.timers === looks);
  assert.deepEqual(ends(), before, 'not before two thirds of a year');
  clock.pass(DAY_MS);
  await until('renewal', () => ends().every((end, at) => end !== before[at]) && clock.timers === looks);
  for (const end of ends()) assert.equal(Math.round((Date.parse(end!) - clock.now()) / DAY_MS), 365);
  assert.notEqual(await shownBy(west.site, authority.certificate), serial, 'the open port shows the new one');
  await says('after');
  assert.equal(east.site.status().links[0]?.since, since, 'the link is the same');

  // The site forgets the first certificate: only who shows the second one comes in again.
  await west.site.close();
  const [, second] = JSON.parse(west.store.entries.get('issued')!) as [Issued, Issued];
  west.store.entries.set('issued', JSON.stringify([second]));
  const again = await start('west', {}, { clock, store: west.store });
  await until('the link', () => again.site.status().links.some(({ state }) => state === 'up'));

  assert.equal(await again.site.revoke('east'), 1);
  await until('the refusal', () => /was revoked there/.test(east.site.status().links[0]?.message ?? ''));
});

it('a server certificate that has ended, or was made while the clock was wrong, is signed anew at the start', async () => {
  for (const ahead of [-400, 30]) {
    const { site, store } = await start('west', {}, { clock: new MovedClock(ahead) });
    await site.close();
    const { authority, server } = identityIn(store);
    const again = await start('west', {}, { store });
    assert.notEqual(identityIn(store).server.certificate, server.certificate);
    await shownBy(again.site, authority.certificate);
    assert.deepEqual(again.site.status().problems, []);
  }
});

it('a server certificate that cannot be kept is not used, and told', async () => {
  const clock = new MovedClock(-360);
  const { site, store } = await start('west', {}, { clock });
  const { server } = identityIn(store);
  const before = site.status().site.certificateEnds;
  store.broken = 'identity';
  clock.pass(360 * DAY_MS);
  const [problem] = await until('the problem', () => site.status().problems.length > 0 && site.status().problems);
  assert.match(
    problem!.message,
    /^The certificate that this site shows ends in 4 days and could not be renewed: no space left\. Mend/,
  );
  assert.equal(site.status().site.certificateEnds, before);
  store.broken = undefined;
  clock.pass(75_000);
  await until('no problem', () => site.status().problems.length === 0);
  assert.notEqual(identityIn(store).server.certificate, server.certificate);
});

it('a link whose certificate has ended says when, and what to do; a new token mends it', async () => {
  const clock = new MovedClock();
  const west = await start('west', {}, { clock });
  const east = await start('east');
  clock.pass(-400 * DAY_MS);
  const { yaml } = await west.site.issueToken({ uses: 2 });
  await east.site.redeemToken({ yaml });
  const { message, certificateEnds } = await until('the message', () =>
    east.site.status().links.find((each) => each.message !== undefined),
  );
  assert.equal(
    message,
    `its certificate ended on ${certificateEnds?.slice(0, 10)}, and only a new token lets this site in again: caravan token issue at the other site, then caravan token redeem here`,
  );
  clock.pass(400 * DAY_MS);
  await east.site.redeemToken({ yaml });
  await until('the link', () => east.site.status().links[0]?.state === 'up');
  assert.deepEqual(east.site.status().problems, []);
});

it('the end of its authority is told a year before', async () => {
  const clock = new MovedClock();
  const { site } = await start('west', {}, { clock });
  clock.pass(9 * 365 * DAY_MS + DAY_MS);
  const told = () => site.status().problems.find(({ message }) => message.startsWith('Its authority ends in '));
  const problem = await until('the problem', told);
  assert.equal(
    problem.message,
    'Its authority ends in 363 days; no other site can link to it from then on. Make this site anew before, and link it again.',
  );
});

it('a name that two sites have revokes neither', async () => {
  const [west, one, other] = await Promise.all([start('west'), start('shop'), start('shop')]);
  const ids = [one, other].map(({ site }) => site.status().site.id);
  const { yaml } = await west.site.issueToken({ uses: 2 });
  await one.site.redeemToken({ yaml });
  await until('one link', () => west.site.status().links.length === 1);
  await one.site.remove({ kind: 'Link', name: 'west' });
  await until('no link', () => west.site.status().links.length === 0);
  await other.site.redeemToken({ yaml });
  await until('the other link', () => west.site.status().links.length === 1);
  await assert.rejects(west.site.revoke('shop'), {
    code: 'conflict',
    message: `2 sites are called shop: ${ids[0]} (let in just now, last linked just now), ${ids[1]} (let in just now, linked now). Nothing was revoked; name one by its id: caravan revoke ID`,
  });
  assert.equal(await west.site.revoke(ids[0]!), 1);
  assert.equal(west.site.status().links.length, 1);
  assert.equal(await west.site.revoke('shop'), 1, 'the name means the one that is left');
  await until('no link', () => west.site.status().links.length === 0);
});
