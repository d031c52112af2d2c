/** A site lets another in, over real sockets: tokens, claims, and the certificates that come of them. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type Server } from 'node:tls';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { until } from '../../test/support/until.ts';
import type { RedeemTokenRequest } from '../api/types.ts';
import { makeServerCertificate, makeSigningRequest } from '../identity/certificates.ts';
import { Grants } from '../identity/grants.ts';
import { type Identity, loadIdentity } from '../identity/identity.ts';
import { IssuedCertificates } from '../identity/issued.ts';
import { NO_WAY_IN_HOST, type Token, tokenToYaml } from '../identity/token.ts';
import { AccessServer } from '../link/access-server.ts';
import { dialLink, dialTls, type LinkCredentials } from '../link/dial.ts';
import type { MessageSocket } from '../link/websocket/message-socket.ts';
import { silentLog } from '../log.ts';
import type { LinkConfig } from '../router/config.ts';
import { claimWithToken } from './claims.ts';
import { redeemToken } from './redeem.ts';
import { answerRequest } from './requests.ts';
import { parseResources } from './resources.ts';
import { StoreSource } from './store-source.ts';
import { wishesOf } from './wishes.ts';

/** A site that lets others in. */
class Issuer {
  readonly store: MemoryStore;
  readonly identity: Identity;
  readonly issued: IssuedCertificates;
  readonly grants: Grants;
  /** Links that came in, with the site that their certificate names. */
  readonly links: { socket: MessageSocket; siteId: string }[] = [];
  requests = 0;
  #server: AccessServer | undefined;

  private constructor(store: MemoryStore, identity: Identity, issued: IssuedCertificates, grants: Grants) {
    this.store = store;
    this.identity = identity;
    this.issued = issued;
    this.grants = grants;
  }

  static async start(kept?: Identity): Promise<Issuer> {
    const store = new MemoryStore();
    const identity = kept ?? (await loadIdentity(store));
    const [issued, grants] = await Promise.all([IssuedCertificates.load(store), Grants.load(store)]);
    const issuer = new Issuer(store, identity, issued, grants);
    issuer.#server = await AccessServer.listen({
      host: '127.0.0.1',
      port: 0,
      key: identity.server.key,
      certificate: identity.server.certificate,
      authority: identity.authority.certificate,
      admits: ({ serial, siteId }) => issued.admits(serial, siteId),
      link: (socket, { siteId }) => issuer.links.push({ socket, siteId }),
      request: (request, response, from) => {
        issuer.requests++;
        const endpoints = () => [{ host: '127.0.0.1', port: issuer.port }];
        const options = { identity, issued, grants, siteName: 'west', endpoints, now: Date.now, log: silentLog };
        return answerRequest(request, response, from, options);
      },
      log: silentLog,
    });
    return issuer;
  }

  get port(): number {
    return this.#server!.port;
  }

  async token({ uses = 1, port = this.port }: { uses?: number; port?: number } = {}): Promise<Token> {
    const { name, code } = await this.grants.make(60_000, uses);
    const url = `https://127.0.0.1:${port}/claims/${name}`;
    return { name, code, url, ca: this.identity.authority.certificate, linkCost: 1 };
  }

  stop(): void {
    for (const { socket } of this.links) socket.destroy();
    this.#server?.close();
  }
}

/** Redeems at a site named east, and returns what it keeps of it. */
async function redeem(token: Token, options: Partial<RedeemTokenRequest> & { siteId?: string; taken?: LinkConfig[] } = {}) {
  const { siteId = 'east-id', taken = [], ...request } = options;
  const store = new MemoryStore();
  const commands = new StoreSource(store);
  const redeemer = { site: { id: siteId, name: 'east' }, taken, commands, portForward: undefined };
  const { link, peer } = await redeemToken({ yaml: tokenToYaml(token), ...request }, redeemer);
  const { resources, problems } = parseResources(store.entries.get(`resources/link-${link}`)!, 'kept');
  assert.deepEqual(problems, []);
  const [config] = wishesOf(resources).links;
  return { link, peer, config: config! };
}

/** Links with these credentials, and hangs up again. Rejects where the other end does not want it. */
async function tryLink(issuer: Issuer, credentials: LinkCredentials, siteId = issuer.identity.siteId): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const socket = await dialLink({ host: '127.0.0.1', port: issuer.port, credentials, siteId, signal });
  socket.destroy();
}

let west: Issuer;
let other: Issuer;
before(async () => {
  [west, other] = await Promise.all([Issuer.start(), Issuer.start()]);
});
after(() => {
  for (const site of [west, other]) site.stop();
});
beforeEach(() => {
  for (const site of [west, other]) {
    site.requests = 0;
    for (const { socket } of site.links.splice(0)) socket.destroy();
  }
});

describe('redeeming a token', () => {
  it('remembers the way that led to the site before those that the site tells of', async () => {
    const token = await west.token();
    const { config } = await redeem({ ...token, url: token.url.replace('127.0.0.1', 'localhost') });
    assert.deepEqual(
      config.endpoints.map(({ host }) => host),
      ['localhost', '127.0.0.1'],
    );
  });

  it('makes a link that the other site lets in, by the name of that site', async () => {
    const { link, peer, config } = await redeem(await west.token(), { cost: 5 });
    assert.deepEqual({ link, peer, cost: config.cost }, { link: 'west', peer: 'west', cost: 5 });
    assert.deepEqual(config.endpoints, [{ host: '127.0.0.1', port: west.port }]);
    assert.equal(config.siteId, west.identity.siteId);
    await tryLink(west, config.credentials);
    await until('the link', () => west.links.some(({ siteId }) => siteId === 'east-id'));
  });

  it('never sends a private key, nor keeps one at the site that lets in', async (t) => {
    const tap = await Tap.start(west);
    t.after(() => tap.stop());
    const { config } = await redeem(await west.token({ port: tap.port }));
    const { d, p, q } = createPrivateKey(config.credentials.key).export({ format: 'jwk' });
    const [request, answer] = [Buffer.concat(tap.sent), Buffer.concat(tap.answered)];
    assert.match(request.toString(), /^POST \/claims\/[^]*BEGIN CERTIFICATE REQUEST/, 'this is what was sent');
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*BEGIN CERTIFICATE-/, 'this is what was answered');
    const kept = Buffer.from([...west.store.entries].filter(([name]) => name !== 'identity').join());
    for (const bytes of [request, answer, kept]) {
      assert.ok(!bytes.includes('PRIVATE KEY'));
      for (const der of decodedFrom(bytes.toString()))
        for (const secret of [d, p, q]) assert.ok(!der.includes(Buffer.from(secret!, 'base64url')));
    }
    assert.ok(decodedFrom(request.toString()).length > 0);
  });

  it('again for the same site replaces its link; another site of that name gets its own', async () => {
    const { config } = await redeem(await west.token());
    assert.equal((await redeem(await west.token(), { taken: [config] })).link, 'west');
    const taken = [{ ...config, siteId: 'some-other-site' }];
    assert.equal((await redeem(await west.token(), { taken })).link, `west-${west.identity.siteId.slice(0, 8)}`);
  });

  it('with a wrong code does not work, and does not take the use', async () => {
    const token = await west.token();
    await assert.rejects(redeem({ ...token, code: `${token.code}x` }), { code: 'token-unknown' });
    await redeem(token);
  });

  it('that expired says so', async () => {
    const token = await west.token();
    const entry = `grants/${token.name}`;
    const grant = JSON.parse(west.store.entries.get(entry)!) as object;
    west.store.entries.set(entry, JSON.stringify({ ...grant, expires: new Date(Date.now() - 120_000).toISOString() }));
    await assert.rejects(redeem(token), {
      code: 'token-expired',
      message: 'the token expired 2 minutes ago. Ask for a new one: caravan token issue',
    });
  });

  it('that was used up says so', async () => {
    const token = await west.token();
    await redeem(token);
    await assert.rejects(redeem(token), { code: 'token-used-up', message: /^the token was used up .* \(1 of 1\)\./ });
  });

  it('twice at once shares one use exactly once', async () => {
    const token = await west.token();
    const issuedBefore = certificatesOf(west);
    const outcomes = await Promise.allSettled([redeem(token), redeem(token)]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    assert.equal((failed!.reason as { code: string }).code, 'token-used-up');
    assert.equal(certificatesOf(west) - issuedBefore, 1);
  });

  it('that fails burns no use, whoever is at fault', async () => {
    const token = await west.token();
    await assert.rejects(claimWithToken(token, 'no request', 'east'), {
      code: 'bad-request',
      message: /^The signing request cannot be used/,
    });
    west.store.broken = 'issued';
    await assert.rejects(redeem(token), { code: 'bad-request' });
    west.store.broken = undefined;
    await redeem(token);
  });

  it('is refused to a site that was revoked, for good, and burns no use', async () => {
    const token = await west.token();
    await redeem(token, { siteId: 'gone-id' });
    await west.issued.revoke('gone-id', new Date());
    const another = await west.token();
    await assert.rejects(redeem(another, { siteId: 'gone-id' }), {
      code: 'revoked',
      message: /^this site was revoked there, for good\./,
    });
    await redeem(another, { siteId: 'came-id' });
  });

  it('does not wait for ever for a site that takes the claim and says nothing', { timeout: 30_000 }, async (t) => {
    const { server } = west.identity;
    const held = new Set<Duplex>();
    const mute = createTlsServer({ key: server.key, cert: server.certificate }, (socket) => {
      held.add(socket.on('error', () => {}).on('close', () => held.delete(socket)));
      socket.resume().write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{');
    });
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    t.after(() => mute.close());
    const token = await west.token({ port: (mute.address() as AddressInfo).port });
    const { request } = await makeSigningRequest('east-id');
    await assert.rejects(claimWithToken(token, request, 'east', { withinMs: 300 }), {
      code: 'unreachable',
      message: /it does not answer \(0\.3 s\)\.$/,
    });
    await until('no connection left', () => held.size === 0);
  });

  for (const [what, admission] of [
    ['a name that would act in a terminal', { site: 'west\u001b[2J' }],
    ['no host that there could be', { endpoints: [{ host: 'a b', port: 1 }] }],
    ['no port that there could be', { endpoints: [{ host: 'a', port: 70_000 }] }],
    ['no certificate', { certificate: 'x' }],
  ] as const)
    it(`takes no answer with ${what}`, async (t) => {
      const good = { site: 'west', endpoints: [], certificate: west.identity.server.certificate };
      const liar = await Answering.start(west, 200, { ...good, ...admission });
      t.after(() => liar.stop());
      await assert.rejects(redeem(await west.token({ port: liar.port })), { code: 'bad-request', message: /is no admission/ });
    });

  it('tells why it was refused without what would act in a terminal, and with no code but ours', async (t) => {
    const liar = await Answering.start(west, 400, { code: '__proto__', message: 'no\u001b[2J\nway' });
    t.after(() => liar.stop());
    const token = await west.token({ port: liar.port });
    await assert.rejects(redeem(token), { code: 'bad-request', message: 'no\\u001b[2J\\nway' });
  });

  it('at the site that issued it is refused, and burns no use', async () => {
    const token = await west.token();
    const { siteId } = west.identity;
    await assert.rejects(redeem(token, { siteId }), { code: 'bad-request', message: /issued by this very site/ });
    const { request } = await makeSigningRequest(siteId);
    await assert.rejects(claimWithToken(token, request, 'west'), { message: /issued by this very site/ });
    await redeem(token);
  });

  it('tells nothing to another site that answers there', async () => {
    const token = await west.token({ port: other.port });
    await assert.rejects(redeem(token), {
      code: 'unreachable',
      message: /^The site at 127\.0\.0\.1:\d+ cannot be reached: another site answers there\.$/,
    });
    assert.equal(other.requests, 0, 'the code is not shown to a stranger');
    await redeem({ ...token, url: token.url.replace(String(other.port), String(west.port)) });
  });

  it('where nobody answers says so', async () => {
    const gone = await Issuer.start(west.identity);
    const token = await west.token({ port: gone.port });
    gone.stop();
    await assert.rejects(redeem(token), { code: 'unreachable', message: /ECONNREFUSED/ });
  });

  it('through a kubeconfig where there is none says what to do, and burns no use', async () => {
    const token = await west.token();
    await assert.rejects(redeem(token, { portForward: { context: 'prod', namespace: 'shop' } }), {
      code: 'unreachable',
      message:
        'The site cannot be reached through the context prod: this router cannot use a kubeconfig; run it where one is at hand.',
    });
    await redeem(token);
  });

  it('of a site without a way in says what helps', async () => {
    const token = await west.token();
    await assert.rejects(redeem({ ...token, url: `https://${NO_WAY_IN_HOST}:443/claims/x` }), {
      code: 'no-way-in',
      message: /join through its Kubernetes context\.$/,
    });
  });

  it('with a damaged certificate, or at no cost, is refused before anything is asked', async () => {
    const token = await west.token();
    await assert.rejects(redeem({ ...token, ca: '-----BEGIN CERTIFICATE-----\nx' }), { code: 'token-invalid' });
    for (const cost of [0, -1, 1.5, 1_000_001])
      await assert.rejects(redeem(token, { cost }), { code: 'bad-request', message: /cost/ });
    assert.equal(west.requests, 0);
  });
});

describe('a claim', () => {
  /** What the site answers to these bytes. */
  async function post(body: string, path = '/claims/x', method = 'POST'): Promise<string> {
    const { authority, siteId } = west.identity;
    const credentials = { authority: authority.certificate };
    const signal = AbortSignal.timeout(10_000);
    const socket = await dialTls({ host: '127.0.0.1', port: west.port, credentials, siteId, signal });
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    let answer = '';
    socket.on('error', () => {});
    for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
    return answer;
  }

  for (const [what, body, answer] of [
    ['no JSON', '{', /^HTTP\/1\.1 400 [^]*"The request cannot be read\."/],
    ['incomplete', '{"code":"x"}', /^HTTP\/1\.1 400 [^]*"The claim is not complete\."/],
    [
      'of a site whose name would act in a terminal',
      '{"code":"x","request":"y","site":"a\\u001b[2J"}',
      /^HTTP\/1\.1 400 [^]*not complete/,
    ],
    ['larger than the limit', 'x'.repeat(70_000), /^HTTP\/1\.1 400 [^]*larger than 65536 bytes/],
  ] as const)
    it(`that is ${what} is refused`, async () => {
      assert.match(await post(body), answer);
    });

  it('is all that this port answers', async () => {
    assert.match(await post('', '/'), /^HTTP\/1\.1 404 /);
    assert.match(await post('', '/claims/x', 'GET'), /^HTTP\/1\.1 404 /);
  });
});

describe('a link', () => {
  let credentials: LinkCredentials;
  before(async () => {
    ({ credentials } = (await redeem(await west.token({ uses: 5 }), { siteId: 'north-id' })).config);
  });
  it('is refused without a certificate of this site', async () => {
    const { config } = await redeem(await other.token());
    const { authority } = credentials;
    // The newcomer trusts west, but shows what another site gave it, or nothing.
    await assert.rejects(tryLink(west, { ...config.credentials, authority }), /refuses this link/);
    await assert.rejects(tryLink(west, { authority } as LinkCredentials), /refuses this link/);
    assert.equal(west.links.length, 0);
  });

  it('is refused to the certificate of the site itself, which was issued to nobody', async () => {
    const { certificate, key } = west.identity.server;
    await assert.rejects(tryLink(west, { ...credentials, certificate, key }), /refuses this link/);
  });

  it('is refused once the site was revoked, and only to that site', async () => {
    const { config } = await redeem(await west.token(), { siteId: 'south-id' });
    await tryLink(west, config.credentials);
    await west.issued.revoke('south-id', new Date());
    await assert.rejects(tryLink(west, config.credentials), /the site refuses this link: it was revoked there/);
    await tryLink(west, credentials);
  });

  it('is not made to another site than the one meant', async () => {
    await assert.rejects(tryLink(west, credentials, 'north-id'), /another site answers there/);
    await assert.rejects(tryLink(other, credentials, west.identity.siteId), /another site answers there/);
    assert.equal(west.links.length + other.links.length, 0);
  });

  it('is not made to a site whose certificate has ended, which is said with what to do', async (t) => {
    const { siteId, authority } = west.identity;
    const server = await makeServerCertificate(siteId, authority, Date.now() - 400 * 86_400_000);
    const late = await Issuer.start({ ...west.identity, server });
    t.after(() => late.stop());
    await assert.rejects(tryLink(late, credentials), { message: /^its certificate has ended: restart its router/ });
    await assert.rejects(redeem(await late.token()), {
      message: /cannot be reached: its certificate has ended: restart its router/,
    });
  });

  it('is not made to a site that west let in and that now passes for west', async (t) => {
    const { certificate, key } = credentials;
    assert.equal(new X509Certificate(certificate).subject, 'CN=north-id');
    const impostor = await Issuer.start({ ...west.identity, server: { certificate, key } });
    t.after(() => impostor.stop());
    for (const meant of [west.identity.siteId, 'north-id'])
      await assert.rejects(tryLink(impostor, credentials, meant), /unsuitable certificate purpose/);
    assert.equal(impostor.links.length, 0);
  });
});

function certificatesOf(issuer: Issuer): number {
  return (JSON.parse(issuer.store.entries.get('issued') ?? '[]') as unknown[]).length;
}

/** What stands in base64 somewhere in a text, decoded. */
function decodedFrom(text: string): Buffer[] {
  const joined = text.replaceAll(/\\r|\\n|\r|\n/g, '');
  return [...joined.matchAll(/[A-Za-z0-9+/]{64,}={0,2}/g)].map(([match]) => Buffer.from(match, 'base64'));
}

/** Stands in for a site with that site's own key, and keeps a copy of every byte, as it was before TLS. */
class Tap {
  readonly sent: Buffer[] = [];
  readonly answered: Buffer[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(issuer: Issuer): Promise<Tap> {
    const { server, authority, siteId } = issuer.identity;
    const options = { key: server.key, cert: server.certificate, ALPNProtocols: ['http/1.1'] };
    const tap = new Tap(createTlsServer(options));
    tap.#server.on('secureConnection', (client) => {
      const credentials = { authority: authority.certificate };
      const signal = AbortSignal.timeout(10_000);
      void dialTls({ host: '127.0.0.1', port: issuer.port, credentials, siteId, signal }).then((onward) => {
        client.on('data', (chunk: Buffer) => tap.sent.push(chunk)).on('error', () => onward.destroy());
        onward.on('data', (chunk: Buffer) => tap.answered.push(chunk)).on('error', () => client.destroy());
        client.pipe(onward).pipe(client);
      });
    });
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): Promise<unknown> {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Stands in for a site with that site's own key, and answers every request with the same. */
class Answering {
  readonly #server: HttpsServer;

  private constructor(server: HttpsServer) {
    this.#server = server;
  }

  static async start({ identity }: Issuer, status: number, body: object): Promise<Answering> {
    const { key, certificate } = identity.server;
    const server = createHttpsServer({ key, cert: certificate }, (request, response) => {
      request.resume().once('end', () => response.writeHead(status).end(JSON.stringify(body)));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new Answering(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
  }
}
