import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http';
import { Agent } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { dial, received, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { StreamError } from '../../link/reason.ts';
import { silentLog } from '../../log.ts';
import { connectToTarget } from '../tcp/tcp-target.ts';
import { Proxy } from './proxy.ts';
import type { ProxyNetwork } from './reach.ts';

const MIB = 1024 * 1024;
/** Nothing listens there: it was the system's choice a moment ago, and is closed. */
let closedPort: number;
let echo: TestServer;
let web: Server;
let webPort: number;
let serve: RequestListener;
let proxy: Proxy;

/** A network with `echo` at port 7, `web` at port 80, and `gone`, which nobody serves. */
const network: ProxyNetwork = {
  service: (name) => {
    const port = { echo: 7, web: 80, gone: 80 }[name];
    return port === undefined ? undefined : { address: name, type: 'tcp', ports: [port] };
  },
  hasNamespace: (name) => name === 'shop',
  connect: async (address) => {
    if (address === 'gone') throw new StreamError({ code: 'unreachable', message: 'nothing offers gone' });
    const port = address === 'echo' ? echo.port : webPort;
    return connectToTarget({ host: '127.0.0.1', port, name: address });
  },
};

before(async () => {
  echo = await TestServer.start((socket) => socket.pipe(socket));
  web = createServer((asked, answer) => serve(asked, answer));
  await once(web.listen(0, '127.0.0.1'), 'listening');
  webPort = (web.address() as AddressInfo).port;
  const closed = await TestServer.start(() => {});
  closedPort = closed.port;
  await closed.stop();
});
after(async () => {
  await echo.stop();
  web.closeAllConnections();
  web.close();
});
beforeEach(async () => {
  serve = (asked, answer) => void answer.end(`${asked.method} ${asked.url}`);
  proxy = await Proxy.open(0, network, silentLog);
});
afterEach(() => proxy.destroy());

const socksConnect = (host: string, port: number) =>
  Buffer.from([5, 1, 0, 5, 1, 0, 3, host.length, ...Buffer.from(host), port >> 8, port & 255]);
const head = (socket: Socket, length: number) =>
  until(`${length} bytes`, () => (socket.readableLength >= length ? (socket.read(length) as Buffer) : undefined));

/** Sends bytes one by one, each in a packet of its own. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of bytes) {
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.from([byte]), (error) => (error ? reject(error) : setImmediate(resolve)));
    });
  }
}

/** A whole exchange: what is sent, then all that comes back. */
async function exchange(sent: string | Buffer): Promise<string> {
  const client = dial(proxy.port);
  const answer = received(client);
  client.end(sent);
  return (await answer).toString('latin1');
}

describe('a SOCKS5 client', () => {
  const ACCEPTED = '\u0005\u0000\u0005\u0000\u0000\u0001\0\0\0\0\0\0';

  for (const host of ['echo', 'echo.shop', 'echo.shop.svc', 'ECHO.shop.svc.cluster.local'])
    test(`reaches a service as ${host}, to the last byte`, async () => {
      assert.equal(await exchange(Buffer.concat([socksConnect(host, 7), Buffer.from('hello')])), `${ACCEPTED}hello`);
    });

  test('may take its time over every byte', async () => {
    const client = dial(proxy.port);
    const answer = received(client);
    await trickle(client, Buffer.concat([socksConnect('echo', 7), Buffer.from('hello')]));
    client.end();
    assert.equal((await answer).toString('latin1'), `${ACCEPTED}hello`);
  });

  test('reaches this computer by name and by address', async () => {
    assert.equal(await exchange(Buffer.concat([socksConnect('localhost', echo.port), Buffer.from('x')])), `${ACCEPTED}x`);
    const address = Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, echo.port >> 8, echo.port & 255]);
    assert.equal(await exchange(Buffer.concat([address, Buffer.from('y')])), `${ACCEPTED}y`);
  });

  for (const [what, host, port, code] of [
    ['a port that the service does not have', 'echo', 8, 5],
    ['a service that nobody offers', 'gone', 80, 4],
    ['a host that there is not', 'nowhere.invalid', 80, 4],
    ['a port where nothing listens', '127.0.0.1', 0, 5],
  ] as const)
    test(`is told of ${what}`, async () => {
      const answer = await exchange(socksConnect(host, port || closedPort));
      assert.deepEqual([answer.length, answer.charCodeAt(3)], [12, code]);
    });

  test('that goes away in the middle of the handshake is forgotten', async () => {
    const client = dial(proxy.port);
    client.end(Buffer.from([5]));
    assert.equal((await received(client)).length, 0);
  });
});

describe('an HTTP client', () => {
  const connectTo = (target: string) => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
  const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

  test('reaches a service through CONNECT, what it sent early included', async () => {
    assert.equal(await exchange(`${connectTo('echo.shop:7')}hello`), `${ESTABLISHED}hello`);
  });

  test('may take its time over every byte of CONNECT', async () => {
    const client = dial(proxy.port);
    const answer = received(client);
    await trickle(client, Buffer.from(`${connectTo('echo:7')}hello`));
    client.end();
    assert.equal((await answer).toString(), `${ESTABLISHED}hello`);
  });

  test('sends and gets 32 MiB at once through CONNECT', async () => {
    const client = dial(proxy.port);
    client.write(connectTo('echo:7'));
    await once(client, 'readable');
    assert.equal((await head(client, ESTABLISHED.length)).toString(), ESTABLISHED);
    const payload = Buffer.alloc(32 * MIB, 'caravan');
    const answer = received(client);
    client.end(payload);
    assert.ok((await answer).equals(payload));
  });

  /** One request through the proxy, as HTTP libraries make it. */
  const get = (
    url: string,
    {
      agent,
      method = 'GET',
      body = '',
      headers = {},
    }: { agent?: Agent; method?: string; body?: string; headers?: Record<string, string> } = {},
  ) =>
    // prettier-ignore
    new Promise<{ answer: IncomingMessage; body: string }>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: proxy.port,
        method,
        path: url,
        headers: { host: 'somewhere', ...headers },
        agent: agent ?? false,
      });
      sent.once('error', reject);
      sent.once('response', (answer) => void text(answer).then((got) => resolve({ answer, body: got }), reject));
      sent.end(body);
    });

  test('gets what is at a URL; the server sees path and host as without a proxy', async () => {
    serve = (asked, answer) => void answer.end(`${asked.url} of ${asked.headers.host} via ${asked.headers.via}`);
    const { answer, body } = await get('http://web.shop/a?b=c');
    assert.deepEqual([answer.statusCode, body], [200, '/a?b=c of web.shop via 1.1 caravan']);
  });

  test('asks for several URLs over one connection, each where it belongs', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const other = createServer((_, answer) => void answer.end('the other'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    assert.equal((await get('http://web/1', { agent })).body, 'GET /1');
    const { body, answer } = await get(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`, { agent });
    assert.equal(body, 'the other');
    assert.equal((await get('http://web/2', { agent })).body, 'GET /2');
    assert.equal(answer.headers.connection, 'keep-alive');
    agent.destroy();
    other.close();
  });

  for (const [how, headers] of [
    ['in one piece', {}],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
    ['after 100 Continue', { expect: '100-continue' }],
  ] as const)
    test(`posts a body ${how}`, async () => {
      serve = (asked, answer) => void text(asked).then((got) => answer.end(`${got.length}`));
      const { body } = await get('http://web/', { method: 'POST', body: 'x'.repeat(3 * MIB), headers });
      assert.equal(body, String(3 * MIB));
    });

  test('sends requests without a body as such', async () => {
    serve = (asked, answer) => void answer.end(JSON.stringify(asked.headers));
    for (const [method, length] of [
      ['GET', undefined],
      ['DELETE', undefined],
      ['POST', '0'],
    ] as const) {
      const client = dial(proxy.port);
      client.write(`${method} http://web/ HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n`);
      const raw = (await received(client)).toString();
      client.destroy();
      const { 'content-length': got, 'transfer-encoding': chunked } = JSON.parse(/\{.*\}/.exec(raw)![0]) as Record<
        string,
        string
      >;
      assert.deepEqual([got, chunked], [length, undefined], method);
    }
  });

  test('gets trailers, cookies of one name, and an answer to HEAD', async () => {
    serve = (_, answer) => {
      answer.writeHead(200, [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['Trailer', 'x-sum'],
      ]);
      answer.write('body');
      answer.addTrailers({ 'x-sum': '42' });
      answer.end();
    };
    const { answer, body } = await get('http://web/');
    assert.deepEqual([body, answer.headers['set-cookie'], answer.trailers['x-sum']], ['body', ['a=1', 'b=2'], '42']);
    serve = (_, answering) => void answering.writeHead(200, { 'content-length': 5 }).end();
    assert.equal((await get('http://web/', { method: 'HEAD' })).answer.headers['content-length'], '5');
  });

  for (const [what, url, status, message] of [
    ['a port that the service does not have', 'http://web:8080/', 502, 'web has the port 80, not 8080.\n'],
    ['a service that nobody offers', 'http://gone/', 502, 'gone cannot be reached: nothing offers gone.\n'],
    [
      'a name that nobody knows',
      'http://nowhere.invalid/',
      502,
      'nowhere.invalid is no service of the network, and this computer finds no host of that name.\n',
    ],
    ['a port where nothing listens', 'http://127.0.0.1:PORT/', 502, '127.0.0.1:PORT refuses connections.\n'],
  ] as const)
    test(`is told of ${what} in one sentence`, async () => {
      const real = (pattern: string) => pattern.replace('PORT', String(closedPort));
      const { answer, body } = await get(real(url), { method: 'POST', body: 'x'.repeat(100) });
      assert.deepEqual([answer.statusCode, body], [status, real(message)]);
      const { host } = new URL(real(url));
      const tunnel = await exchange(connectTo(host.includes(':') ? host : `${host}:80`));
      assert.ok(tunnel.startsWith(`HTTP/1.1 ${status} Bad Gateway\r\n`), tunnel);
      assert.ok(tunnel.endsWith(`\r\n\r\n${real(message)}`), tunnel);
    });

  for (const [what, sent] of [
    ['the proxy itself', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
    ['https without CONNECT', 'GET https://web/ HTTP/1.1\r\nHost: web\r\n\r\n'],
    ['CONNECT without a port', 'CONNECT web HTTP/1.1\r\nHost: web\r\n\r\n'],
    ['nonsense', 'nonsense\r\n\r\n'],
    [
      'a body with two lengths',
      'POST http://web/ HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
  ] as const)
    test(`that asks for ${what} is told what this is`, async () => {
      const answer = await exchange(sent);
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.match(answer, /This is a proxy: set it as http_proxy/);
    });

  test('whose head is too large is told so', async () => {
    const answer = await exchange(`GET http://web/ HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 431 .*The head of the request is larger than 16 KiB/s);
  });

  test('of a server that breaks off before it answers is told so', async () => {
    serve = (asked) => void asked.socket.destroy();
    const { answer, body } = await get('http://web/');
    assert.equal(answer.statusCode, 502);
    assert.match(body, /^web broke the connection before it answered: .*\.\n$/);
  });

  for (const [what, sent] of [
    ['switches protocols unasked', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'],
    ['answers with a status that there is not', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
    ['speaks no HTTP', '220 ready\r\n'],
  ] as const)
    test(`of a server that ${what} is told so`, async () => {
      const server = await TestServer.start((socket) => socket.once('data', () => socket.write(sent)));
      const { answer, body } = await get(`http://127.0.0.1:${server.port}/`);
      assert.equal(answer.statusCode, 502);
      assert.match(body, /^127\.0\.0\.1:\d+ broke the connection before it answered: .*\.\n$/);
      await server.stop();
    });

  test('that still sends has the whole of an early answer, and may ask again', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    serve = (_, response) => void response.writeHead(413, { 'content-length': 3 * MIB }).end('x'.repeat(3 * MIB));
    const large = { method: 'POST', body: 'y'.repeat(16 * MIB), agent };
    const { answer, body } = await get('http://web/', large);
    assert.deepEqual([answer.statusCode, body.length], [413, 3 * MIB]);
    assert.equal((await get('http://web:81/', large)).body, 'web has the port 80, not 81.\n');
    serve = (_, response) => void response.end('again');
    assert.equal((await get('http://web/', { agent })).body, 'again');
    agent.destroy();
  });

  test('may announce trailers where none can be', async () => {
    serve = (_, response) => void response.end('fine');
    const sent = 'POST http://web/ HTTP/1.1\r\nHost: web\r\nTrailer: x-sum\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody';
    const client = dial(proxy.port);
    client.write(sent);
    assert.match((await received(client)).toString(), /^HTTP.1.1 200 OK.*fine$/s);
    client.destroy();
  });

  test('of a server with a strange phrase and strange headers gets the answer', async () => {
    const strange = 'HTTP/1.1 200 O\u0001K\r\nX-Name: \u00ff\u00e4\tx\r\nContent-Length: 2\r\n\r\nok';
    const server = await TestServer.start((socket) => socket.once('data', () => socket.write(strange, 'latin1')));
    const { answer, body } = await get(`http://127.0.0.1:${server.port}/`);
    assert.deepEqual([answer.statusCode, body, answer.headers['x-name']], [200, 'ok', '\u00ff\u00e4\tx']);
    await server.stop();
  });

  test('of a server that breaks off in the middle sees no proper end', async () => {
    serve = (asked, answer) => {
      answer.write('half of it', () => asked.socket.destroy());
    };
    await assert.rejects(get('http://web/'), /aborted|hang up|ECONNRESET/);
  });

  test('that goes away takes its request with it', async () => {
    let gone = false;
    serve = (_, answer) => {
      answer.write('more to come');
      answer.once('close', () => (gone = true));
    };
    const client = connect(proxy.port, '127.0.0.1');
    client.write('GET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n');
    await once(client, 'data');
    client.destroy();
    await until('the server to notice', () => gone);
  });
});

describe('a proxy that closes', () => {
  test('ends who wants nothing, and lets who is busy go on', async () => {
    const [idle, tunnel] = [dial(proxy.port), dial(proxy.port)];
    tunnel.write('CONNECT echo:7 HTTP/1.1\r\nHost: echo\r\n\r\n');
    await once(tunnel, 'data');
    const kept = dial(proxy.port);
    kept.write('GET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n');
    await once(kept, 'data');
    const ended = Promise.all([idle, kept].map((client) => received(client)));
    proxy.close();
    await ended;
    tunnel.write('still here');
    const [answer] = (await once(tunnel, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'still here');
    for (const client of [idle, kept, tunnel]) client.destroy();
  });
});
