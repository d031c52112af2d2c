/** TLS to and from applications, and what a server is told of its client, through routers that are processes of their own. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import {
  connect as connectHttp2,
  createSecureServer,
  createServer as createHttp2Server,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
} from 'node:http2';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import rhea from 'rhea';
import { API_VERSION, type Spec } from '../../runtime/site/resources.ts';
import { ensureSystemPackages, findCommand } from '../../scripts/system-packages.mjs';
import { caravan } from '../support/caravan.ts';
import { secretOf, TestAuthority, type TestCertificate } from '../support/certificates.ts';
import { dial, received, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { freePort } from '../support/free-port.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

const NAME = 'orders.example';
/** Tests that take these programs are skipped where they may not be installed. */
const withPrograms = { skip: await whyNoPrograms() };

type ServerOptions = TestCertificate & Omit<TlsOptions, keyof TestCertificate>;

let sites: SiteProcesses;
/** Clients are `here`, servers `there`; streams pass through a third. */
let here: SiteProcess;
let between: SiteProcess;
let there: SiteProcess;
/** They hang on what is between, and on `there`. */
let edge: SiteProcess;
let farEdge: SiteProcess;
let authority: TestAuthority;
let stranger: TestAuthority;
/** For `NAME` and loopback. */
let own: TestCertificate;
const ended: (() => Promise<void>)[] = [];

before(async () => {
  [authority, stranger] = await Promise.all([TestAuthority.make(), TestAuthority.make('a stranger')]);
  own = await authority.issue([NAME, 'localhost', '127.0.0.1']);
  sites = await SiteProcesses.make();
  [here, between, there] = await sites.start('here', 'between', 'there');
  await sites.link(there, between);
  await sites.link(between, here);
  [edge, farEdge] = await Promise.all([sites.startEdge('edge'), sites.startEdge('far-edge')]);
  await sites.link(between, edge);
  await sites.link(there, farEdge);
});
after(async () => {
  await sites.stop();
  await Promise.all(ended.map((end) => end()));
});

describe('a listener with TLS', () => {
  let port: number;

  before(async () => {
    const server = await startPlain((socket) => socket.pipe(socket));
    await connector('plain', { port: server.port });
    port = await listener('plain', { tlsCredentials: 'keys' }, secretOf('keys', own));
  });

  for (const version of ['-tls1_2', '-tls1_3'])
    it(`is verified, and carries what is said, with openssl s_client ${version}`, withPrograms, async () => {
      const { out, code } = await openssl(port, [version, '-verify_return_error', '-verify_hostname', NAME], 'hello\n');
      assert.match(out, /^hello$/m);
      assert.equal(code, 0);
    });

  it('refuses what is older than TLS 1.2', withPrograms, async () => {
    const { out } = await openssl(port, ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']);
    assert.match(out, /alert protocol version|no protocols available/);
  });

  it('carries 16 MiB each way unchanged', async () => {
    const payload = Buffer.alloc(16 * 1024 * 1024, 'caravan');
    const client = await dialTls(port);
    const answer = received(client);
    client.end(payload);
    assert.ok((await answer).equals(payload));
  });

  it('takes a new Secret for new clients, without touching connections that are up', async () => {
    const up = await dialTls(port);
    up.write('before ');
    await once(up, 'data');
    const next = await stranger.issue([NAME]);
    await here.write('plain.yaml', [resource('Listener', 'plain', { tlsCredentials: 'keys' }), secretOf('keys', next)]);
    await until('the new certificate', async () => {
      const client = await dialTls(port, { ca: stranger.certificate });
      client.destroy();
      return true;
    });
    const answer = received(up);
    up.end('after');
    assert.equal((await answer).toString(), 'after');
    // A Secret that is of no use is said, and clients are not spoken to plainly instead.
    await here.write('plain.yaml', [
      resource('Listener', 'plain', { tlsCredentials: 'keys' }),
      secretOf('keys', { ...next, key: own.key }),
    ]);
    const { message } = await here.status('the problem', ({ problems }) =>
      problems.find(({ where }) => where.startsWith('plain.yaml')),
    );
    assert.equal(message, 'Listener plain: tls.key of the Secret keys does not belong to its tls.crt; take both from one pair.');
    await assert.rejects(received(dial(port)));
  });
});

describe('a listener with TLS of another type', () => {
  for (const [type, version] of [
    ['http', '--http1.1'],
    ['http2', '--http2'],
  ] as const)
    it(`carries the requests of curl ${version} where it is ${type}, without TLS beyond`, withPrograms, async () => {
      const nginx = await startNginx(
        `plain-${type}`,
        (port) =>
          `listen 127.0.0.1:${port}${type === 'http2' ? ' http2' : ''}; location / { return 200 "$server_protocol $host $http_x_forwarded_proto\\n"; }`,
      );
      await connector(`of-${type}`, { port: nginx, type });
      const at = await listener(`of-${type}`, { type, tlsCredentials: `keys-${type}` }, secretOf(`keys-${type}`, own));
      assert.equal(await curl(at, version), `${type === 'http2' ? 'HTTP/2.0' : 'HTTP/1.1'} ${NAME} https\n`);
    });

  it('carries messages where it is amqp, and takes a client that insists on its password', async () => {
    const at = await listener('of-amqp', { type: 'amqp', tlsCredentials: 'keys-amqp' }, secretOf('keys-amqp', own));
    const client = rhea.create_container().connect({
      transport: 'tls',
      host: '127.0.0.1',
      port: at,
      servername: NAME,
      ca: authority.certificate,
      username: 'anybody',
      password: 'anything',
      reconnect: false,
    });
    client.open_receiver('of-amqp');
    const sender = client.open_sender('of-amqp');
    const taken = once(client, 'message');
    await once(sender, 'sendable');
    sender.send({ body: 'hello' });
    const [{ message }] = await taken;
    assert.equal(message.body, 'hello');
    client.close();
    await once(client, 'connection_close');
  });
});

describe('a listener that asks for client certificates', () => {
  let port: number;
  let files: string;

  before(async () => {
    const server = await startPlain((socket) => socket.pipe(socket));
    await connector('mutual', { port: server.port });
    port = await listener('mutual', { tlsCredentials: 'keys-mutual' }, secretOf('keys-mutual', own, authority.certificate));
    files = join(sites.folder, 'clients');
    await mkdir(files);
    for (const [name, by] of Object.entries({ good: authority, bad: stranger })) {
      const { certificate, key } = await by.issue(['a client']);
      await writeFile(join(files, `${name}.pem`), certificate + key);
    }
  });

  it('takes a client whose certificate its authority signed', withPrograms, async () => {
    assert.match((await openssl(port, ['-cert', join(files, 'good.pem')], 'hello\n')).out, /^hello$/m);
  });

  it('refuses one without, who learns why', withPrograms, async () => {
    const { out } = await openssl(port, [], 'hello\n');
    assert.doesNotMatch(out, /^hello$/m);
    assert.match(out, /alert certificate required/);
  });

  it('refuses one that a stranger signed, and logs why', withPrograms, async () => {
    const { out } = await openssl(port, ['-cert', join(files, 'bad.pem')], 'hello\n');
    assert.doesNotMatch(out, /^hello$/m);
    await until('the log', () => here.log.includes("it shows a certificate that ca.crt of the listener's Secret did not sign"));
  });
});

describe('ALPN', () => {
  it('is agreed on at the listener and offered to the server, whatever it is', async () => {
    const seen: (string | false)[] = [];
    const port = await startTls({ ...own, ALPNProtocols: ['postgresql', 'http/1.1', 'h2'] }, (socket) => {
      seen.push(socket.alpnProtocol || false);
      socket.pipe(socket);
    });
    await connector('alpn', { port, tlsCredentials: 'trust' }, secretOf('trust', {}, authority.certificate));
    const at = await listener('alpn', { tlsCredentials: 'keys-alpn' }, secretOf('keys-alpn', own));
    for (const [offered, agreed] of [
      [['http/1.1', 'h2'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [['postgresql'], 'postgresql'],
      [[], false],
    ] as const) {
      const client = await dialTls(at, offered.length > 0 ? { ALPNProtocols: [...offered] } : {});
      assert.equal(client.alpnProtocol, agreed);
      const answer = received(client);
      client.end('x');
      assert.equal((await answer).toString(), 'x');
      assert.equal(seen.at(-1), agreed);
    }
  });

  it('that the server does not take is said, and the client is reset', async () => {
    const port = await startTls({ ...own, ALPNProtocols: ['http/1.1'] }, (socket) => socket.pipe(socket));
    await connector('alpn-none', { port, tlsCredentials: 'trust-none' }, secretOf('trust-none', {}, authority.certificate));
    const at = await listener('alpn-none', { tlsCredentials: 'keys-none' }, secretOf('keys-none', own));
    const client = await dialTls(at, { ALPNProtocols: ['h2'] });
    await assert.rejects(received(client), { code: 'ECONNRESET' });
    await until('the log', () => here.log.includes(`127.0.0.1:${port} does not take h2 (ALPN)`));
  });

  it('of curl leads HTTP/2 to nginx and back', withPrograms, async () => {
    const nginx = await startNginx(
      'h2',
      (port) => `listen 127.0.0.1:${port} ssl http2; location / { return 200 "$server_protocol $ssl_server_name\\n"; }`,
    );
    await connector('web', { port: nginx, tlsCredentials: 'trust-web' }, secretOf('trust-web', {}, authority.certificate), {
      tlsServerName: NAME,
    });
    const at = await listener('web', { tlsCredentials: 'keys-web' }, secretOf('keys-web', own));
    assert.equal(await curl(at), `HTTP/2.0 ${NAME}\n`);
    assert.equal(await curl(at, '--http1.1'), `HTTP/1.1 ${NAME}\n`);
  });
});

describe('a client of a listener with TLS that offers no ALPN', () => {
  const keys = () => secretOf('keys-silent', own);

  it('is known by its first bytes where the listener is http2: HTTP/2 by its preface, else HTTP/1.1', async () => {
    const port = await startHttp2(createHttp2Server());
    await connector('silent', { port, type: 'http2' });
    const at = await listener('silent', { type: 'http2', tlsCredentials: 'keys-silent' }, keys());
    assert.equal(await askHttp2(at), 'hello');
    const client = await dialTls(at);
    const answer = received(client);
    client.write(`GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`);
    assert.match((await answer).toString(), /^HTTP\/1\.1 200 OK\r\n[^]*hello/);
  });

  it('leads to a server of TLS all the same, which is offered what the type speaks', async () => {
    const seen: (string | false | null)[] = [];
    const server = createSecureServer({ cert: own.certificate, key: own.key });
    server.on('secureConnection', (socket) => seen.push(socket.alpnProtocol));
    const trust = secretOf('trust-silent', {}, authority.certificate);
    await connector('silent-tls', { port: await startHttp2(server), type: 'http2', tlsCredentials: 'trust-silent' }, trust);
    const at = await listener('silent-tls', { type: 'http2', tlsCredentials: 'keys-silent' }, keys());
    assert.equal(await askHttp2(at), 'hello');
    assert.deepEqual(seen, ['h2']);
  });

  it('is told that a listener of type http speaks no HTTP/2', async () => {
    await connector('silent-http', { port: await startHttp2(createHttp2Server()), type: 'http' });
    const at = await listener('silent-http', { type: 'http', tlsCredentials: 'keys-silent' }, keys());
    const client = await dialTls(at);
    const answer = received(client);
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    assert.match((await answer).toString(), /^HTTP\/1\.1 505 /);
  });
});

describe('a connector with TLS', () => {
  /** A client of a listener that speaks plainly, to a server with this certificate. */
  async function ask(
    name: string,
    server: ServerOptions,
    spec: Partial<Spec<'Connector'>>,
    secret?: object,
    settings: Record<string, string> = {},
  ): Promise<{ port: number; answer: () => Promise<string> }> {
    const port = await startTls(server, (socket) => socket.pipe(socket));
    await connector(name, { port, ...spec }, secret, settings);
    const at = await listener(name);
    return {
      port,
      answer: async () => {
        const client = dial(at);
        const answer = received(client);
        client.end('hello');
        return (await answer).toString();
      },
    };
  }

  /** Whether the client is reset, and its router's log and the connector's status say why. */
  async function isRefused(name: string, answer: () => Promise<string>, why: string): Promise<void> {
    await assert.rejects(answer(), { code: 'ECONNRESET' });
    await until(`the log to say: ${why}`, () => here.log.includes(`there: ${why}"`));
    const { state, message } = await there.status('the connector to have failed', ({ connectors }) =>
      connectors.find((one) => one.name === name && one.state === 'failed'),
    );
    assert.deepEqual({ state, message }, { state: 'failed', message: why });
  }

  it('takes a server whose certificate its authority signed for its host', async () => {
    const { answer } = await ask(
      'good',
      own,
      { tlsCredentials: 'trust-good' },
      secretOf('trust-good', {}, authority.certificate),
    );
    assert.equal(await answer(), 'hello');
  });

  it('refuses one that another authority signed, and takes it once that is mended', async () => {
    const secret = (ca: string) => secretOf('trust-ca', {}, ca);
    const { port, answer } = await ask('ca', own, { tlsCredentials: 'trust-ca' }, secret(stranger.certificate));
    await isRefused('ca', answer, `127.0.0.1:${port} shows a certificate that ca.crt of its connector's Secret did not sign`);
    await connector('ca', { port, tlsCredentials: 'trust-ca' }, secret(authority.certificate));
    await until('an answer', async () => (await answer()) === 'hello');
    await there.status('it ready', ({ connectors }) => connectors.some(({ name, state }) => name === 'ca' && state === 'ready'));
  });

  it('refuses a certificate for another name, unless any will do', async () => {
    const other = await authority.issue(['db.example', 'db.internal']);
    const secret = secretOf('trust-name', {}, authority.certificate);
    const { port, answer } = await ask('name', other, { tlsCredentials: 'trust-name' }, secret);
    const why = `127.0.0.1:${port} shows a certificate for db.example, db.internal, not for 127.0.0.1`;
    await isRefused('name', answer, why);
    await connector('name', { port, tlsCredentials: 'trust-name', verifyHostname: false }, secret);
    await until('an answer', async () => (await answer()) === 'hello');
    await connector('name', { port, tlsCredentials: 'trust-name' }, secret);
    await until('it to be refused again', () =>
      answer().then(
        () => false,
        () => true,
      ),
    );
    await connector('name', { port, tlsCredentials: 'trust-name' }, secret, { tlsServerName: 'db.internal' });
    await until('an answer', async () => (await answer()) === 'hello');
  });

  it('refuses a certificate that has expired', async () => {
    const old = await authority.issue(['127.0.0.1'], { days: -1 });
    const { port, answer } = await ask(
      'old',
      old,
      { tlsCredentials: 'trust-old' },
      secretOf('trust-old', {}, authority.certificate),
    );
    await isRefused('old', answer, `127.0.0.1:${port} shows a certificate that has expired`);
  });

  it('does not trust a stranger because the system is to verify, unless it is told not to verify', async () => {
    const { port, answer } = await ask('system', own, {}, undefined, { tls: 'true' });
    await isRefused(
      'system',
      answer,
      `127.0.0.1:${port} shows a certificate that an authority that this system trusts did not sign`,
    );
    await connector('system', { port }, undefined, { tls: 'insecure' });
    await until('an answer', async () => (await answer()) === 'hello');
  });

  it('says that a server does not speak TLS', async () => {
    const server = await startPlain((socket) => socket.end('220 hello, this is no TLS\r\n'));
    await connector('no-tls', { port: server.port }, undefined, { tls: 'insecure' });
    const at = await listener('no-tls');
    await isRefused('no-tls', async () => (await received(dial(at))).toString(), `127.0.0.1:${server.port} does not speak TLS`);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`shows its certificate to a server of ${version} that asks, where it may`, async () => {
      const name = `mine-${version.replace('TLSv1.', '')}`;
      const client = await authority.issue(['the connector']);
      const server = { ...own, ca: authority.certificate, requestCert: true, maxVersion: version };
      const secret = secretOf(`trust-${name}`, client, authority.certificate);
      const { port, answer } = await ask(name, server, { tlsCredentials: `trust-${name}`, useClientCert: true }, secret);
      assert.equal(await answer(), 'hello');
      await connector(name, { port, tlsCredentials: `trust-${name}` }, secret);
      await until('it to be refused', () =>
        answer().then(
          () => false,
          () => true,
        ),
      );
      const { message } = await there.status('the connector to have failed', ({ connectors }) =>
        connectors.find((one) => one.name === name && one.state === 'failed'),
      );
      assert.match(message!, /wants a client certificate/);
    });
});

describe('TLS at edges', () => {
  const echo = (socket: Socket) => void socket.pipe(socket);

  async function says(client: Socket): Promise<string> {
    const answer = received(client);
    client.end('hello');
    return (await answer).toString();
  }

  it('ends at a listener there', async () => {
    const server = await startPlain(echo);
    await connector('edge-listener', { port: server.port });
    const keys = secretOf('keys-edge', own);
    const at = await listener('edge-listener', { tlsCredentials: 'keys-edge' }, keys, edge);
    assert.equal(await says(await dialTls(at)), 'hello');
  });

  it('is spoken with a server there', async () => {
    const port = await startTls(own, echo);
    const trust = secretOf('trust-edge', {}, authority.certificate);
    await connector('edge-connector', { port, tlsCredentials: 'trust-edge' }, trust, undefined, edge);
    assert.equal(await says(dial(await listener('edge-connector'))), 'hello');
  });

  it('is spoken from edge to edge, with the protocol that its ends agree on', async () => {
    const seen: (string | false | null)[] = [];
    const port = await startTls({ ...own, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      seen.push(socket.alpnProtocol);
      echo(socket);
    });
    const trust = secretOf('trust-edges', {}, authority.certificate);
    await connector('edges', { port, tlsCredentials: 'trust-edges' }, trust, undefined, farEdge);
    const at = await listener('edges', { tlsCredentials: 'keys-edges' }, secretOf('keys-edges', own), edge);
    assert.equal(await says(await dialTls(at, { ALPNProtocols: ['http/1.1'] })), 'hello');
    assert.deepEqual(seen, ['http/1.1']);
  });

  it('refuses a server there whose certificate is wrong, and both ends know why', async () => {
    const port = await startTls(own, echo);
    const trust = secretOf('trust-wrong', {}, stranger.certificate);
    await connector('edge-wrong', { port, tlsCredentials: 'trust-wrong' }, trust, undefined, farEdge);
    const at = await listener('edge-wrong', { tlsCredentials: 'keys-wrong' }, secretOf('keys-wrong', own), edge);
    const why = `127.0.0.1:${port} shows a certificate that ca.crt of its connector's Secret did not sign`;
    await assert.rejects(says(await dialTls(at)), { code: 'ECONNRESET' });
    await until(`the log to say: ${why}`, () => edge.log.includes(`far-edge: ${why}"`));
    const { message } = await farEdge.status('the connector to have failed', ({ connectors }) =>
      connectors.find(({ name, state }) => name === 'edge-wrong' && state === 'failed'),
    );
    assert.equal(message, why);
  });
});

describe('PROXY protocol v2', () => {
  it('tells nginx where the client is, and what it connected to', withPrograms, async () => {
    const nginx = await startNginx(
      'proxy',
      (port) =>
        `listen 127.0.0.1:${port} proxy_protocol; location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port"; }`,
    );
    await connector('proxied', { port: nginx }, undefined, { proxyProtocol: 'v2' });
    const at = await listener('proxied');
    const client = dial(at);
    await once(client, 'connect');
    const { localPort } = client;
    const answer = received(client);
    client.write('GET / HTTP/1.0\r\n\r\n');
    assert.equal((await answer).toString().split('\r\n\r\n')[1], `127.0.0.1 ${localPort} 127.0.0.1 ${at}`);
  });

  it('goes before TLS, as haproxy takes it', withPrograms, async () => {
    const haproxy = await startHaproxy(
      'accept',
      (port, pem) =>
        `bind 127.0.0.1:${port} accept-proxy ssl crt ${pem}\n  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst_port]"`,
    );
    await connector(
      'proxied-tls',
      { port: haproxy, tlsCredentials: 'trust-proxied' },
      secretOf('trust-proxied', {}, authority.certificate),
      {
        proxyProtocol: 'v2',
      },
    );
    const at = await listener('proxied-tls', { tlsCredentials: 'keys-proxied' }, secretOf('keys-proxied', own));
    const client = await dialTls(at, { ALPNProtocols: ['http/1.1'] });
    const { localPort } = client;
    const answer = received(client);
    client.write('GET / HTTP/1.0\r\n\r\n');
    assert.equal((await answer).toString().split('\r\n\r\n')[1], `127.0.0.1 ${localPort} ${at}`);
  });
});

describe('a listener with an idle timeout', () => {
  it('resets a connection on which nothing moves, at both ends, and no other', async () => {
    const outcome = new Promise<string>((resolve) => {
      void startPlain((socket) =>
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code))).resume(),
      ).then(async (server) => connector('idle', { port: server.port }));
    });
    const at = await listener('idle', { settings: { idleTimeout: '300ms' } });
    const client = dial(at);
    client.write('x');
    await assert.rejects(received(client), { code: 'ECONNRESET' });
    assert.equal(await outcome, 'ECONNRESET');
  });

  it('keeps one on which something moves in one direction only', async () => {
    const server = await startPlain((socket) => {
      let sent = 0;
      const timer = setInterval(() => {
        socket.write('x');
        if (++sent < 60) return;
        clearInterval(timer);
        socket.end();
      }, 100);
    });
    await connector('busy', { port: server.port });
    const at = await listener('busy', { settings: { idleTimeout: '5s' } });
    // For longer than the timeout.
    assert.equal((await received(dial(at))).length, 60);
  });
});

describe('the commands', () => {
  it('make a listener and a connector with TLS, and keep their keys for this user alone', async () => {
    const folder = join(sites.folder, 'commands');
    await mkdir(folder);
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const certificate = await file('tls.crt', own.certificate);
    const key = await file('tls.key', own.key);
    const ca = await file('ca.crt', authority.certificate);
    const port = await startTls(own, (socket) => socket.pipe(socket));
    const expose = ['expose', 'by-command', '--port', String(port), '--tls-ca', ca, '--tls-name', NAME, '--socket', there.socket];
    assert.equal((await caravan(expose)).err, '');
    const listen = ['listen', 'by-command', '--port', '0', '--socket', here.socket];
    const wrong = await caravan([...listen, '--tls-cert', ca, '--tls-key', key]);
    assert.match(
      wrong.err,
      /tls\.key of the Secret listener-by-command-0 does not belong to its tls\.crt; take both from one pair\./,
    );
    assert.equal((await caravan([...listen, '--tls-cert', certificate, '--tls-key', key])).err, '');
    const at = await here.status(
      'it open',
      ({ listeners }) => listeners.find((one) => one.name === 'by-command-0' && one.state === 'open')?.port,
    );
    const client = await dialTls(at);
    const answer = received(client);
    client.end('hello');
    assert.equal((await answer).toString(), 'hello');
    const kept = join(here.folder, 'data', 'resources', 'listener-by-command-0');
    assert.equal((await stat(kept)).mode & 0o777, 0o600);
    assert.ok((await readFile(kept, 'utf8')).includes('PRIVATE KEY'));
    assert.doesNotMatch(here.log + JSON.stringify(await here.api.status()), /PRIVATE KEY/);
    assert.equal((await caravan(['remove', 'listener', 'by-command-0', '--socket', here.socket])).code, 0);
    await assert.rejects(stat(kept), { code: 'ENOENT' });
  });

  it('make a connector that shows its certificate to a server which asks', async () => {
    const shown = await authority.issue(['the command']);
    const folder = join(sites.folder, 'client-certificate');
    await mkdir(folder);
    const [ca, certificate, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) => join(folder, name)) as [string, string, string];
    await writeFile(ca, authority.certificate);
    await writeFile(certificate, shown.certificate);
    await writeFile(key, shown.key);
    const server = { ...own, ca: authority.certificate, requestCert: true };
    const port = await startTls(server, (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
    const expose = (more: string[]) =>
      caravan(['expose', 'who', '--port', String(port), '--tls-name', NAME, '--socket', there.socket, ...more]);
    const mismatched = await expose(['--tls-ca', ca, '--tls-cert', ca, '--tls-key', key]);
    assert.match(
      mismatched.err,
      /tls\.key of the Secret connector-who-\d+ does not belong to its tls\.crt; take both from one pair\./,
    );
    assert.equal((await expose(['--tls-ca', ca, '--tls-cert', certificate, '--tls-key', key])).err, '');
    const at = await listener('who');
    assert.equal((await received(dial(at))).toString(), 'the command');
    assert.doesNotMatch(there.log + JSON.stringify(await there.api.status()), /PRIVATE KEY/);
  });

  it('make a listener that agrees on the protocols it is told to', async () => {
    const server = await startPlain((socket) => socket.pipe(socket));
    await connector('told-alpn', { port: server.port });
    const folder = join(sites.folder, 'alpn');
    await mkdir(folder);
    const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    await writeFile(certificate, own.certificate);
    await writeFile(key, own.key);
    const tls = ['--tls-cert', certificate, '--tls-key', key, '--alpn', 'http/1.1'];
    assert.equal((await caravan(['listen', 'told-alpn', '--port', '0', '--socket', here.socket, ...tls])).err, '');
    const at = await opened('told-alpn-0');
    const client = await dialTls(at, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(client.alpnProtocol, 'http/1.1');
    client.destroy();
  });

  it('make a connector that tells its server who connects, and a listener that resets who is silent', async () => {
    const server = await startPlain((socket) => void socket.on('error', () => {}).once('data', (head) => socket.write(head)));
    const expose = ['expose', 'told', '--port', String(server.port), '--proxy-protocol', 'v2', '--socket', there.socket];
    assert.equal((await caravan(expose)).err, '');
    const listen = ['listen', 'told', '--port', '0', '--idle-timeout', '2s', '--distribution', 'closest'];
    assert.equal((await caravan([...listen, '--socket', here.socket])).err, '');
    const client = dial(await opened('told-0'));
    const seen: Buffer[] = [];
    client.on('data', (chunk: Buffer) => seen.push(chunk));
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    assert.equal(Buffer.concat(seen).subarray(0, 12).toString('latin1'), '\r\n\r\n\0\r\nQUIT\n');
  });

  function opened(name: string): Promise<number> {
    return here.status(
      `listener ${name} open`,
      ({ listeners }) => listeners.find((one) => one.name === name && one.state === 'open')?.port,
    );
  }
});

/** A Connector, in a file of its own. */
async function connector(
  name: string,
  spec: Partial<Spec<'Connector'>>,
  secret?: object,
  settings?: Record<string, string>,
  site = there,
): Promise<void> {
  const whole = { host: '127.0.0.1', ...spec, ...(settings && { settings }) };
  await site.write(`${name}.yaml`, [resource('Connector', name, whole), ...(secret ? [secret] : [])]);
}

/** A Listener; resolves to its port once it takes clients. */
async function listener(name: string, spec: object = {}, secret?: object, site = here): Promise<number> {
  await site.write(`${name}.yaml`, [resource('Listener', name, spec), ...(secret ? [secret] : [])]);
  return site.status(
    `listener ${name} open`,
    ({ listeners }) => listeners.find((one) => one.name === name && one.state === 'open')?.port,
  );
}

function resource(kind: string, name: string, spec: object): object {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec: { routingKey: name, port: 0, ...spec } };
}

async function startPlain(serve: (socket: Socket) => void): Promise<TestServer> {
  const server = await TestServer.start(serve);
  ended.push(() => server.stop());
  return server;
}

async function startTls({ certificate, key, ...options }: ServerOptions, serve: (socket: TLSSocket) => void): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...options, cert: certificate, key, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ended.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function dialTls(port: number, options: object = {}): Promise<TLSSocket> {
  const socket = connectPlain({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  const client = connect({ socket, ca: authority.certificate, servername: NAME, ...options });
  await once(client, 'secureConnect');
  client.on('error', () => {});
  return client;
}

/** Serves HTTP/2 until the tests end, and says hello; resolves to its port. */
async function startHttp2(server: Http2Server | Http2SecureServer): Promise<number> {
  const sessions = new Set<Http2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    stream.respond();
    stream.end('hello');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ended.push(async () => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** What is answered to HTTP/2 in TLS without ALPN. */
async function askHttp2(port: number): Promise<string> {
  const tls = await dialTls(port);
  assert.equal(tls.alpnProtocol, false);
  const session = connectHttp2(`https://${NAME}`, { createConnection: () => tls });
  try {
    return await new Promise((resolve, reject) => {
      session.once('error', reject);
      let body = '';
      const request = session.request({ ':path': '/' }).setEncoding('utf8').once('error', reject);
      request.on('data', (piece: string) => (body += piece)).once('end', () => resolve(body));
    });
  } finally {
    session.destroy();
  }
}

/** `openssl s_client`, which is told these lines and then that they end. */
function openssl(port: number, args: string[], input = ''): Promise<{ out: string; code: number | null }> {
  return new Promise((resolve) => {
    const ca = join(sites.folder, 'ca.pem');
    void writeFile(ca, authority.certificate).then(() => {
      const all = [
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-CAfile',
        ca,
        '-servername',
        NAME,
        '-quiet',
        '-no_ign_eof',
        ...args,
      ];
      const child = execFile('openssl', all, { timeout: 20_000 }, (_error, out, err) =>
        resolve({ out: out + err, code: child.exitCode }),
      );
      // s_client ends when its input does, and may not have read the answer then.
      child.stdin!.on('error', () => {});
      child.stdin!.write(input);
      const close = () => child.stdin!.end();
      child.stdout!.on('data', (chunk) => (input === '' || String(chunk).includes(input)) && close());
      child.stderr!.on('data', (chunk) => /error|alert/.test(String(chunk)) && close());
      if (input === '') close();
    });
  });
}

function curl(port: number, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const all = [
      '-sS',
      '--max-time',
      '20',
      '--cacert',
      join(sites.folder, 'ca.pem'),
      '--connect-to',
      `${NAME}:443:127.0.0.1:${port}`,
    ];
    void writeFile(join(sites.folder, 'ca.pem'), authority.certificate).then(() =>
      execFile('curl', [...all, ...args, `https://${NAME}/`], (error, out) => (error ? reject(error) : resolve(out))),
    );
  });
}

/** Why not all programs that the tests take are there; undefined where they are. */
async function whyNoPrograms(): Promise<string | undefined> {
  try {
    await ensureSystemPackages({ openssl: 'openssl', curl: 'curl', nginx: 'nginx', haproxy: 'haproxy' }, console.error);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A program that serves in the foreground until the tests end; resolves once it takes connections. */
async function startProgram(program: string, args: string[], port: number): Promise<number> {
  const child = spawn(findCommand(program)!, args, { stdio: 'ignore' });
  ended.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await until(`${program} to listen`, async () => {
    const socket = dial(port);
    const [event] = await Promise.race([once(socket, 'connect').then(() => ['up']), once(socket, 'close').then(() => ['down'])]);
    socket.destroy();
    return event === 'up';
  });
  return port;
}

async function startNginx(name: string, server: (port: number) => string): Promise<number> {
  const folder = join(sites.folder, `nginx-${name}`);
  await mkdir(folder);
  const port = await freePort();
  await writeFile(join(folder, 'server.crt'), own.certificate);
  await writeFile(join(folder, 'server.key'), own.key);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((each) => `${each}_temp_path ${folder}/${each};`)
    .join(' ');
  const http = `access_log off; ${paths} server { ssl_certificate ${folder}/server.crt; ssl_certificate_key ${folder}/server.key; ${server(port)} }`;
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; events {} http { ${http} }`,
  );
  return startProgram('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], port);
}

async function startHaproxy(name: string, frontend: (port: number, pem: string) => string): Promise<number> {
  const folder = join(sites.folder, `haproxy-${name}`);
  await mkdir(folder);
  const port = await freePort();
  const pem = join(folder, 'server.pem');
  await writeFile(pem, own.certificate + own.key);
  await writeFile(
    join(folder, 'haproxy.cfg'),
    `defaults\n  mode http\n  timeout client 10s\nfrontend it\n  ${frontend(port, pem)}\n`,
  );
  return startProgram('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], port);
}
