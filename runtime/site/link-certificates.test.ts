/** Certificates of links are renewed over real sockets, by a clock that the test moves. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { DAY_MS, MovedClock } from '../../test/support/moved-clock.ts';
import { until } from '../../test/support/until.ts';
import { issueCertificate, makeSigningRequest, readSigningRequest } from '../identity/certificates.ts';
import { Grants } from '../identity/grants.ts';
import { type Identity, loadIdentity } from '../identity/identity.ts';
import { IssuedCertificates } from '../identity/issued.ts';
import { endOf } from '../identity/validity.ts';
import { AccessServer, type Holder } from '../link/access-server.ts';
import { dialLink } from '../link/dial.ts';
import { silentLog } from '../log.ts';
import type { LinkConfig } from '../router/config.ts';
import type { PortForwardDial } from '../router/outgoing-link.ts';
import { readBody } from './exchange.ts';
import { LinkCertificates } from './link-certificates.ts';
import { renewAt } from './renewals.ts';
import { answerRequest } from './requests.ts';

/** After this two thirds of a certificate's life are over. */
const DUE_MS = 244 * DAY_MS;

let clock: MovedClock;
let west: Identity;
let issued: IssuedCertificates;
let server: AccessServer;
/** How west answers what is no link; each test may have it do something else. */
let answer: (request: IncomingMessage, response: ServerResponse, from: Holder | undefined) => Promise<void>;
let link: LinkConfig;
let store: MemoryStore;
let certificates: LinkCertificates;
let changes: number;

before(async () => {
  west = await loadIdentity(new MemoryStore());
});

beforeEach(async () => {
  clock = new MovedClock(-250);
  issued = await IssuedCertificates.load(new MemoryStore());
  const grants = await Grants.load(new MemoryStore());
  answer = (request, response, from) =>
    answerRequest(request, response, from, {
      identity: west,
      issued,
      grants,
      siteName: 'west',
      endpoints: () => [],
      now: () => clock.now(),
      log: silentLog,
    });
  server = await AccessServer.listen({
    host: '127.0.0.1',
    port: 0,
    ...west.server,
    authority: west.authority.certificate,
    admits: ({ serial, siteId }) => issued.admits(serial, siteId),
    link: (socket) => socket.destroy(),
    request: (request, response, from) => answer(request, response, from),
    log: silentLog,
  });
  link = await letIn('east-id');
  store = new MemoryStore();
  certificates = await load();
});

afterEach(() => {
  certificates.close();
  server.close();
});

/** A link to west, which has let that site in. */
async function letIn(siteId: string): Promise<LinkConfig> {
  const { key, request } = await makeSigningRequest(siteId);
  const { certificate, serial, expires } = issueCertificate(west.authority, readSigningRequest(request), clock.now());
  const times = { issued: new Date(clock.now()).toISOString(), expires: expires.toISOString() };
  await issued.add({ serial, siteId, siteName: siteId, ...times });
  const credentials = { authority: west.authority.certificate, certificate, key };
  const endpoints = [{ host: '127.0.0.1', port: server.port }];
  return { name: 'west', cost: 1, endpoints, credentials, siteId: west.siteId, portForward: undefined };
}

/** As after a start. */
async function load(portForward?: PortForwardDial): Promise<LinkCertificates> {
  changes = 0;
  const changed = () => changes++;
  const options = { siteId: 'east-id', store, clock, portForward, log: silentLog, renewed() {}, changed };
  return new LinkCertificates(await LinkCertificates.remembered(store), options);
}

/** The link as it is after its certificate was looked at once that is due. */
async function whenDue(wished = link): Promise<LinkConfig> {
  certificates.set([wished]);
  await until('the first look', () => clock.timers === 1);
  clock.pass(DUE_MS);
  await until('the attempt', () => changes > 0);
  return certificates.set([wished])[0]!;
}

async function tryLink({ credentials }: LinkConfig): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  (await dialLink({ host: '127.0.0.1', port: server.port, credentials, siteId: west.siteId, signal })).destroy();
}

describe('the certificate of a link', () => {
  it('is renewed when it is due, with a key of its own, and kept before it is used', async () => {
    const { credentials } = await whenDue();
    assert.notEqual(credentials.certificate, link.credentials.certificate);
    assert.notEqual(credentials.key, link.credentials.key);
    assert.equal(Math.round((Date.parse(endOf(credentials.certificate)) - clock.now()) / DAY_MS), 365);
    await tryLink({ ...link, credentials });
    certificates.close();
    certificates = await load();
    assert.deepEqual(certificates.set([link])[0]?.credentials, credentials, 'the next start finds it');
  });

  it('is not taken where it cannot be kept, and is tried again', async () => {
    store.broken = 'renewed/';
    assert.deepEqual(await whenDue(), link);
    store.broken = undefined;
    clock.pass(75_000);
    await until('the second attempt', () => changes > 1);
    assert.notDeepEqual(certificates.set([link]), [link]);
  });

  it('is the one in the Secret again where that is another now, and after the link was removed', async () => {
    await whenDue();
    const redeemed = await letIn('east-id');
    assert.deepEqual(certificates.set([redeemed]), [redeemed]);
    await until('nothing kept', () => store.entries.size === 0);

    certificates.close();
    certificates = await load();
    await whenDue();
    assert.equal(store.entries.size, 1);
    await certificates.forget('west');
    assert.deepEqual([...store.entries], []);
    assert.deepEqual(certificates.set([link]), [link]);
  });

  it('is renewed by whichever way leads to the site', async () => {
    const nobody = createServer();
    await new Promise<void>((resolve) => void nobody.listen(0, '127.0.0.1', resolve));
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const wished = { ...link, endpoints: [{ host: '127.0.0.1', port }, ...link.endpoints] };
    assert.notDeepEqual(await whenDue(wished), wished);
  });

  it('is renewed through a port-forward', async () => {
    certificates = await load(async () => connect(server.port, '127.0.0.1'));
    const wished = { ...link, endpoints: [], portForward: { context: 'kind-west', namespace: 'shop' } };
    const { credentials } = await whenDue(wished);
    await tryLink({ ...link, credentials });
  });

  it('is not renewed by an older neighbour: that breaks nothing, and is told in the last month', async () => {
    answer = async (_request, response) => {
      const body = { code: 'not-found', message: 'Links and claims come in here, nothing else.' };
      response.writeHead(404, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    };
    assert.deepEqual(await whenDue(), link);
    assert.deepEqual(certificates.problems(), []);
    clock.pass(365 * DAY_MS - DUE_MS - 20 * DAY_MS);
    assert.deepEqual(certificates.problems(), [
      {
        where: 'Link west',
        message:
          'Its certificate ends in 19 days and could not be renewed: that site has a version that renews no certificates; update it. Mend that, or link anew before: caravan token issue there, caravan token redeem here.',
      },
    ]);
    await tryLink(link);
    clock.pass(20 * DAY_MS);
    assert.deepEqual(certificates.problems(), [], 'that it has ended is told by the link');
  });

  it('that has ended by the clock of the other site is refused, and not called revoked', async () => {
    clock.pass(-150 * DAY_MS);
    const ended = await letIn('east-id');
    await assert.rejects(tryLink(ended), /^Error: by the clock of the site the certificate of this link has ended/);
    const { request } = await makeSigningRequest('east-id');
    const ways = { portForward: undefined, signal: AbortSignal.timeout(10_000) };
    await assert.rejects(renewAt(ended, request, ways), { code: 'revoked' });
  });

  for (const [what, subject, withKey] of [
    ['for another key', 'east-id', false],
    ['for another site', 'north-id', true],
  ] as const)
    it(`is not replaced by one ${what}`, async () => {
      answer = async (request, response) => {
        const { request: csr } = JSON.parse(await readBody(request)) as { request: string };
        const { publicKey } = readSigningRequest(withKey ? csr : (await makeSigningRequest(subject)).request);
        const { certificate } = issueCertificate(west.authority, { siteId: subject, publicKey }, clock.now());
        response.writeHead(200, { connection: 'close' }).end(JSON.stringify({ certificate }));
      };
      assert.deepEqual(await whenDue(), link);
      assert.deepEqual([...store.entries], []);
    });
});

describe('a site that renews what it issued', () => {
  async function renew(wished = link, siteId = 'east-id'): Promise<string> {
    const { request } = await makeSigningRequest(siteId);
    return renewAt(wished, request, { portForward: undefined, signal: AbortSignal.timeout(10_000) });
  }

  it('revokes the new one with the old one', async () => {
    const renewed = await whenDue();
    assert.equal(await issued.revoke('east-id', new Date(clock.now())), 2);
    for (const revoked of [link, renewed]) {
      await assert.rejects(tryLink(revoked), /it was revoked there/);
      await assert.rejects(renew(revoked), { code: 'revoked' });
    }
  });

  it('remembers since when the site is let in', async () => {
    const since = issued.sitesOf('east-id')[0]?.since;
    await whenDue();
    clock.pass(200 * DAY_MS);
    await letIn('north-id');
    const serial = new X509Certificate(link.credentials.certificate).serialNumber;
    assert.ok(!issued.admits(serial, 'east-id'), 'the first one is forgotten');
    assert.equal(issued.sitesOf('east-id')[0]?.since, since);
  });

  it('signs for the holder of the certificate only', async () => {
    await assert.rejects(renew(link, 'north-id'), { code: 'bad-request', message: /is for another one/ });
    const stranger = await loadIdentity(new MemoryStore());
    const { key, request } = await makeSigningRequest('east-id');
    const { certificate } = issueCertificate(stranger.authority, readSigningRequest(request));
    const forged = { ...link, credentials: { ...link.credentials, certificate, key } };
    await assert.rejects(renew(forged), { code: 'revoked', message: /was not issued there, or was revoked/ });
    const unknown = issueCertificate(west.authority, readSigningRequest(request), clock.now());
    const unrecorded = { ...link, credentials: { ...link.credentials, certificate: unknown.certificate, key } };
    await assert.rejects(renew(unrecorded), { code: 'revoked' });
  });
});
