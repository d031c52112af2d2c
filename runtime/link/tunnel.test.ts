/** Ways to a port for links through proxies that end TLS, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, before, beforeEach, describe, it, type TestContext } from 'node:test';
import { TestAuthority, type TestCertificate } from '../../test/support/certificates.ts';
import { ConnectProxy } from '../../test/support/connect-proxy.ts';
import { ask } from '../../test/support/tcp.ts';
import { TlsEndingProxy } from '../../test/support/tls-ending-proxy.ts';
import { until } from '../../test/support/until.ts';
import { silentLog } from '../log.ts';
import { AccessServer } from './access-server.ts';
import { dialLink, dialTls, type LinkCredentials } from './dial.ts';
import { type Endpoint, tunnelEndpoint } from './endpoint.ts';
import { TUNNEL_SUBPROTOCOL } from './take-tunnel.ts';
import { TunnelServer } from './tunnel-server.ts';
import type { MessageSocket } from './websocket/message-socket.ts';
import { requestUpgrade } from './websocket/upgrade.ts';

const SITE = 'far';
/** Who signs for the site, and who signs for proxies, which nobody knows. */
let authority: TestAuthority;
let proxies: TestAuthority;
let credentials: LinkCredentials;
let proxied: TestCertificate;
let shown: TestCertificate;
before(async () => {
  [authority, proxies] = await Promise.all([TestAuthority.make(), TestAuthority.make('of proxies')]);
  const [own, ...others] = await Promise.all([authority.issue(['near']), authority.issue([SITE]), proxies.issue(['localhost'])]);
  credentials = { ...own, authority: authority.certificate };
  [shown, proxied] = others;
});

let access: AccessServer;
let plain: TunnelServer;
let links: MessageSocket[];
beforeEach(async () => {
  links = [];
  access = await AccessServer.listen({
    host: '127.0.0.1',
    port: 0,
    ...shown,
    authority: authority.certificate,
    admits: () => true,
    link: (socket) => void links.push(socket),
    request: async ({ socket }, response) => void response.end(`from ${socket.remoteAddress}`),
    log: silentLog,
  });
  plain = await TunnelServer.listen({ host: '127.0.0.1', port: 0, take: (connection) => access.take(connection) });
});
afterEach(() => {
  plain.close();
  access.close();
  for (const link of links) link.destroy();
});

/** A proxy that ends TLS before a port. */
async function endingTls(t: TestContext, to: number): Promise<TlsEndingProxy> {
  const proxy = await TlsEndingProxy.start(proxied, to);
  t.after(() => proxy.stop());
  return proxy;
}

function under(url: string, ca?: string): Endpoint {
  return tunnelEndpoint({ url, ...(ca !== undefined && { ca }) });
}

const common = () => ({ credentials, siteId: SITE, signal: AbortSignal.timeout(10_000) });

/** Links, and sends a message there and one back. */
async function tryLink(endpoint: Endpoint): Promise<MessageSocket> {
  const near = await dialLink({ ...endpoint, ...common() });
  const far = await until('the link', () => links.at(-1));
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    const message = new Promise<Buffer>((resolve) => {
      to.start({ message: resolve, drained: () => {}, broke: () => {}, closed: () => {} });
    });
    from.send(Buffer.from('hello'));
    from.flush();
    assert.equal((await message).toString(), 'hello');
  }
  return near;
}

describe('a link through a tunnel', () => {
  it('passes a proxy that ends TLS and speaks plain HTTP behind it, which sees nothing of the link', async (t) => {
    const proxy = await endingTls(t, plain.port);
    const near = await tryLink(under(`https://localhost:${proxy.port}/cara/van`, proxies.certificate));
    const [head, ...rest] = proxy.seen.toString('latin1').split('\r\n\r\n');
    assert.match(head!, /^GET \/cara\/van\/tunnel HTTP\/1\.1\r\nHost: localhost:\d+\r\n/);
    assert.doesNotMatch(rest.join(), /hello|GET|caravan/);
    near.destroy();
  });

  it('passes one that speaks TLS to the port for links behind it, and one without TLS', async (t) => {
    const proxy = createServer().on('upgrade', ({ url, headers }, socket, head) => {
      // What an Ingress does: a connection of its own, with the same request.
      const onward = connect({ host: '127.0.0.1', port: access.port, rejectUnauthorized: false });
      const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      onward.write(`GET ${url} HTTP/1.1\r\n${fields.join('')}\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
      for (const end of [onward, socket]) end.on('error', () => {}).on('close', () => (onward.destroy(), socket.destroy()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => proxy.close());
    const near = await tryLink(under(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`));
    near.destroy();
  });

  it('passes an HTTP proxy before that', async (t) => {
    const outer = await ConnectProxy.start();
    t.after(() => outer.stop());
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${outer.port}`;
    t.after(() => delete process.env['HTTPS_PROXY']);
    const certificate = await proxies.issue(['shop.example']);
    const named = await TlsEndingProxy.start(certificate, plain.port);
    t.after(() => named.stop());
    const near = await tryLink(under(`https://shop.example:${named.port}`, proxies.certificate));
    assert.deepEqual(outer.targets, [`shop.example:${named.port}`]);
    near.destroy();
  });

  it('stays when the port for links closes, and what is no link yet is cut', async () => {
    const endpoint = under(`http://127.0.0.1:${plain.port}`);
    const near = await tryLink(endpoint);
    const waiting = await dialTls({ ...endpoint, ...common() });
    // Once it has been answered it is one that the server knows.
    waiting.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(waiting, 'data');
    let isLost = false;
    near.start({ message: () => {}, drained: () => {}, broke: () => {}, closed: () => (isLost = true) });
    const cut = new Promise((resolve) => waiting.on('error', () => {}).once('close', resolve));
    plain.close();
    access.close();
    await cut;
    assert.equal(isLost, false);
    near.destroy();
  });

  it('carries none within it, and no address that a proxy tells', async () => {
    const endpoint = under(`http://127.0.0.1:${plain.port}`);
    const answered = await dialTls({ ...endpoint, ...common() });
    answered.write('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of answered) chunks.push(chunk as Buffer);
    assert.match(Buffer.concat(chunks).toString(), /from undefined$/);
    const socket = await dialTls({ ...endpoint, ...common() });
    const asked = { host: 'a', path: '/tunnel', subprotocol: TUNNEL_SUBPROTOCOL, socket, signal: AbortSignal.timeout(10_000) };
    await assert.rejects(requestUpgrade(asked), { message: 'the other end answers 403' });
  });
});

describe('a tunnel that leads nowhere says why:', () => {
  const refusals: [status: number, why: string][] = [
    [404, 'no tunnel ends there'],
    [503, 'it does not reach the site behind it'],
    [200, 'no tunnel ends there'],
  ];
  for (const [status, why] of refusals)
    it(`it is answered ${status}`, async (t) => {
      const server = createServer((_request, response) => void response.writeHead(status).end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const endpoint = under(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await assert.rejects(dialTls({ ...endpoint, ...common() }), {
        message: `127.0.0.1 answers ${status} instead of leading to the site: ${why}`,
      });
    });

  it('nobody knows who signed what is shown', async (t) => {
    const proxy = await endingTls(t, plain.port);
    await assert.rejects(dialTls({ ...under(`https://localhost:${proxy.port}`), ...common() }), {
      message: 'localhost shows a certificate of an authority that is not known here: name that in settings.tunnelCa',
    });
  });

  it('what is shown is for another host', async (t) => {
    const proxy = await endingTls(t, plain.port);
    const endpoint = under(`https://127.0.0.1:${proxy.port}`, proxies.certificate);
    await assert.rejects(
      dialTls({ ...endpoint, ...common() }),
      /^Error: 127\.0\.0\.1 shows a certificate that cannot be taken: /,
    );
  });

  it('another site is behind it', async (t) => {
    const proxy = await endingTls(t, plain.port);
    const endpoint = under(`https://localhost:${proxy.port}`, proxies.certificate);
    await assert.rejects(dialTls({ ...endpoint, ...common(), siteId: 'other' }), { message: 'another site answers there' });
  });
});

describe('the port for tunnels', () => {
  it('answers health checks, and nothing else', async () => {
    const answer = (method: string, path: string, more = '') =>
      ask(plain.port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`);
    assert.match(await answer('GET', '/'), /^HTTP\/1\.1 200 /);
    assert.match(await answer('HEAD', '/'), /^HTTP\/1\.1 200 /);
    for (const [method, path] of [
      ['POST', '/'],
      ['GET', '/tunnel'],
      ['POST', '/claims/x'],
      ['POST', '/renewals'],
    ] as const)
      assert.match(await answer(method, path), /^HTTP\/1\.1 404 /);
    const upgrade = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    const asked = (path: string, subprotocol: string) =>
      ask(
        plain.port,
        `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n${upgrade}Sec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`,
      );
    assert.match(await asked('/link', 'caravan.1'), /^HTTP\/1\.1 404 /);
    assert.match(await asked('/tunnel', 'caravan.1'), /^HTTP\/1\.1 400 /);
  });
});
