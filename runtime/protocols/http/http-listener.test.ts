import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  type ClientRequest,
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { dial, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { StreamError } from '../../link/reason.ts';
import type { ProtocolListener } from '../listener.ts';
import { httpListener } from './http-listener.ts';
import { TcpWay } from './http.testkit.ts';
import type { HttpLimits } from './limits.ts';

const MIB = 1024 * 1024;

let way: TcpWay;
let listener: ProtocolListener;
/** One connection that is kept. */
let agent: Agent;
const ends: (() => unknown)[] = [];

beforeEach(() => {
  way = new TcpWay();
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  for (const end of ends.splice(0).reverse()) await end();
  await until('all servers to be done', () => way.given === way.done);
  assert.equal(way.doneTwice, false);
});

async function listen(limits: Partial<HttpLimits> = {}): Promise<void> {
  listener = await httpListener(limits)('127.0.0.1', 0, way);
  ends.push(() => listener.close());
}

/** A real server behind the listener. */
async function serve(site: string, answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  // It never closes a connection by itself: what ends is ended by the listener.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  way.servers.push({ site, port: (server.address() as AddressInfo).port });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

/** A server that says just what it is told to. */
async function serveRaw(site: string, serveOne: (socket: Socket) => void): Promise<TestServer> {
  const server = await TestServer.start(serveOne);
  way.servers.push({ site, port: server.port });
  ends.push(() => server.stop());
  return server;
}

/** Answers every head that comes on a socket with these bytes. */
function answering(...answers: string[]): (socket: Socket) => void {
  return (socket) => {
    const left = [...answers];
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      head = '';
      socket.write(left.length > 1 ? left.shift()! : left[0]!);
    });
  };
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

async function ask(path = '/', options: Parameters<typeof request>[1] = {}, body?: Buffer | string): Promise<Answer> {
  const asked = request({ port: listener.port, agent, path, ...options });
  asked.end(body);
  return answerTo(asked);
}

function answerTo(asked: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    asked.once('error', reject);
    asked.once('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
    });
  });
}

/** What a plain socket gets to see: all of it, until the connection ends or `isEnough`. */
function exchange(bytes: string, isEnough: (said: string) => boolean = () => false): Promise<string> {
  const socket = dial(listener.port);
  socket.write(bytes, 'latin1');
  return heard(socket, isEnough);
}

function heard(socket: Socket, isEnough: (said: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (!isEnough(said)) return;
      socket.destroy();
      resolve(said);
    });
    socket.once('end', () => {
      socket.end();
      resolve(said);
    });
  });
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((_, count) => resolve(count));
  });
}

describe('requests on one connection', () => {
  it('go to the server whose turn it is, over connections that are kept', async () => {
    await listen();
    for (const site of ['west', 'east']) await serve(site, (_, answer) => answer.end(site));
    const answers: string[] = [];
    for (let count = 0; count < 6; count++) answers.push((await ask()).body);
    assert.deepEqual(answers, ['west', 'east', 'west', 'east', 'west', 'east']);
    assert.equal(way.connects, 2);
    assert.equal(way.clients, 1);
  });

  it('are answered in their order when they come all at once', async () => {
    await listen();
    let held: (() => void) | undefined;
    await serve('west', ({ url }, answer) => {
      if (url === '/0') held = () => answer.end('0');
      else answer.end(url!.slice(1));
    });
    await serve('east', ({ url }, answer) => {
      answer.end(url!.slice(1));
    });
    const requests = Array.from({ length: 100 }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: a\r\n\r\n`);
    requests.push('GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const answer = exchange(requests.join(''));
    await until('the first request', () => held);
    held!();
    const bodies = (await answer).split(/HTTP\/1\.1 200 OK\r\n/).map((part) => part.split('\r\n\r\n')[1]?.trim());
    assert.deepEqual(bodies.slice(1), [...Array.from({ length: 100 }, (_, at) => String(at)), 'end']);
  });

  it('tell what they are routed by', async () => {
    await listen();
    await serve('west', (_, answer) => answer.end());
    await ask('/orders/1?all', { headers: { 'X-Canary': ['a', 'b'] } });
    const [traits] = way.traits;
    assert.equal(traits?.path, '/orders/1');
    assert.equal(traits.header('x-canary'), 'a, b');
    assert.equal(traits.header('X-Other'), undefined);
  });
});

describe('a request reaches its server', () => {
  async function seen(bytes: string): Promise<IncomingMessage> {
    await listen();
    const got = new Promise<IncomingMessage>((resolve) => {
      void serve('west', (asked, answer) => {
        resolve(asked);
        answer.end();
      });
    });
    await until('the server', () => way.servers.length > 0);
    await exchange(bytes);
    return got;
  }

  it('without what concerns the client connection only', async () => {
    const { headers, httpVersion } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Keep: 1\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Connection: keep-alive\r\nTE: trailers, deflate\r\nUpgrade: websocket\r\ntraceparent: 00-1-2-01\r\n\r\n',
    );
    assert.equal(httpVersion, '1.1');
    assert.deepEqual(Object.keys(headers).sort(), [
      'connection',
      'forwarded',
      'host',
      'te',
      'traceparent',
      'via',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-keep',
    ]);
    assert.deepEqual([headers.connection, headers.te, headers['traceparent']], ['TE', 'trailers', '00-1-2-01']);
  });

  it('with who asked for what, where nobody said so before', async () => {
    const { headers } = await seen('GET / HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n');
    assert.equal(headers['forwarded'], 'for=127.0.0.1;host="a:80";proto=http');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-host'], 'a:80');
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(headers['via'], '1.1 caravan');
    assert.equal(headers['traceparent'], undefined);
  });

  it('with this proxy behind those that it passed before', async () => {
    const { rawHeaders } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=1.2.3.4;proto=https\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n' +
        'X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nVia: 1.1 edge\r\nConnection: close\r\n\r\n',
    );
    const fields = rawHeaders.map((_, at) => [rawHeaders[at]!, rawHeaders[at + 1]!] as const).filter((_, at) => at % 2 === 0);
    const values = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value);
    assert.deepEqual(values('Forwarded'), ['for=1.2.3.4;proto=https, for=127.0.0.1;host=a;proto=http']);
    assert.deepEqual(values('X-Forwarded-For'), ['1.2.3.4, 5.6.7.8, 127.0.0.1']);
    assert.deepEqual(values('X-Forwarded-Proto'), ['https']);
    assert.deepEqual(values('X-Forwarded-Host'), ['b']);
    assert.deepEqual(values('Via'), ['1.1 edge, 1.1 caravan']);
  });

  it('for the host that an absolute target names', async () => {
    const asked = await seen('GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.equal(asked.url, '/x?y');
    assert.equal(asked.headers.host, 'b:81');
  });

  it('as HTTP/1.1 where the client speaks HTTP/1.0', async () => {
    const asked = await seen('GET /x HTTP/1.0\r\nExpect: 100-continue\r\n\r\n');
    assert.equal(asked.httpVersion, '1.1');
    assert.equal(asked.headers.host, 'backend');
    assert.equal(asked.headers.via, '1.0 caravan');
    assert.equal(asked.headers.expect, undefined);
  });

  it('with one Content-Length where there were two of the same', async () => {
    const { rawHeaders } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    assert.equal(rawHeaders.filter((name) => name === 'Content-Length').length, 1);
  });

  it('without the wish to go on with HTTP/2', async () => {
    const { headers } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
    );
    assert.equal(headers.upgrade, undefined);
    assert.equal(headers['http2-settings'], undefined);
  });
});

describe('bodies', () => {
  it('of 16 MiB go both ways unchanged, with a length and in chunks', async () => {
    await listen();
    await serve('west', (asked, answer) => {
      if (asked.headers['content-length']) answer.setHeader('Content-Length', asked.headers['content-length']);
      asked.pipe(answer);
    });
    const payload = randomBytes(16 * MIB);
    for (const headers of [{ 'Content-Length': payload.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const asked = request({ port: listener.port, agent, method: 'POST', headers });
      const answer = new Promise<string>((resolve, reject) => {
        asked.once('error', reject);
        asked.once('response', (incoming) => {
          const hash = createHash('sha256');
          incoming.on('data', (piece: Buffer) => hash.update(piece)).once('end', () => resolve(hash.digest('hex')));
        });
      });
      asked.end(payload);
      assert.equal(await answer, createHash('sha256').update(payload).digest('hex'));
    }
    assert.equal(way.connects, 1);
  });

  it('come with their trailers', async () => {
    await listen();
    await serve('west', (asked, answer) => {
      asked.resume().once('end', () => {
        answer.writeHead(200, { Trailer: 'X-Sum' });
        answer.write('x');
        answer.addTrailers({ 'X-Sum': asked.trailers['x-sum'] });
        answer.end();
      });
    });
    const asked = request({ port: listener.port, agent, method: 'POST', headers: { Trailer: 'X-Sum' } });
    const answer = new Promise<IncomingMessage>((resolve) => {
      asked.once('response', (incoming) => incoming.resume().once('end', () => resolve(incoming)));
    });
    asked.write('x');
    asked.addTrailers({ 'X-Sum': '42' });
    asked.end();
    assert.equal((await answer).trailers['x-sum'], '42');
  });

  it('without a length end with the connection', async () => {
    await listen();
    await serveRaw('west', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    });
    assert.match(await exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /Connection: close\r\n\r\nall of it$/);
  });

  it('without a length that are cut off end with a reset', async () => {
    await listen();
    await serveRaw('west', (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nhalf', () => setImmediate(() => socket.resetAndDestroy())));
    });
    await assert.rejects(exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { code: 'ECONNRESET' });
  });

  it('with a length that are cut off end with a reset', async () => {
    await listen();
    await serveRaw('west', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    });
    await assert.rejects(exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { code: 'ECONNRESET' });
  });

  it('in chunks are taken apart for HTTP/1.0', async () => {
    await listen();
    await serve('west', (_, answer) => {
      answer.write('one ');
      answer.end('two');
    });
    const said = await exchange('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    assert.match(said, /Connection: close\r\n\r\none two$/);
    assert.doesNotMatch(said, /Transfer-Encoding/i);
  });

  it('are not there for HEAD, 204 and 304, whatever the head says', async () => {
    await listen();
    await serveRaw(
      'west',
      answering(
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      ),
    );
    const answers = [await ask('/', { method: 'HEAD' }), await ask(), await ask(), await ask()];
    assert.deepEqual(
      answers.map(({ status, body, headers }) => [status, body, headers['content-length']]),
      [
        [200, '', '5'],
        [204, '', undefined],
        [304, '', '5'],
        [200, 'ok', '2'],
      ],
    );
    assert.equal(way.connects, 1);
  });

  it('wait for a reader that is slow: little of 64 MiB is taken from the server', async () => {
    await listen();
    let sent = 0;
    await serve('west', (_, answer) => {
      const chunk = Buffer.alloc(MIB);
      const send = () => {
        while (sent < 64 && answer.write(chunk)) sent++;
        sent++;
        if (sent < 64) answer.once('drain', send);
        else answer.end();
      };
      send();
    });
    const socket = dial(listener.port);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok((await stalled(() => sent)) < 32);
    socket.destroy();
  });

  it('wait for a server that is slow: little of 64 MiB is taken from the client', async () => {
    await listen();
    await serveRaw('west', (socket) => socket.pause());
    const asked = request({ port: listener.port, agent, method: 'POST' });
    asked.on('error', () => {});
    let sent = 0;
    const chunk = Buffer.alloc(MIB);
    const send = () => {
      while (sent < 64 && asked.write(chunk)) sent++;
      sent++;
      if (sent < 64) asked.once('drain', send);
    };
    send();
    assert.ok((await stalled(() => sent)) < 32);
    asked.destroy();
  });

  it('that nobody reads hold further requests up', async () => {
    await listen();
    let answered = 0;
    await serve('west', (_, answer) => {
      answered++;
      answer.end(Buffer.alloc(30_000));
    });
    const socket = dial(listener.port);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2000));
    assert.ok((await stalled(() => answered)) < 1000);
    socket.destroy();
  });

  it('and requests behind one that is not answered wait at the client', async () => {
    await listen();
    await serve('west', () => {});
    const socket = dial(listener.port);
    let sent = 0;
    const more = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(10_000));
    const send = () => {
      while (sent < 64 * MIB && socket.write(more)) sent += more.length;
      if (sent < 64 * MIB) socket.once('drain', send);
    };
    send();
    assert.ok((await stalled(() => sent)) < 32 * MIB);
    assert.equal(way.given, 1);
    socket.destroy();
  });

  /** What a counter has once it grows no more. */
  async function stalled(count: () => number): Promise<number> {
    let last = -1;
    let same = 0;
    return until('it to stall', () => {
      same = count() === last ? same + 1 : 0;
      last = count();
      return same > 8 && last > 0 && last;
    });
  }
});

describe('a conversation', () => {
  it('starts with "100 Continue" from the server, before the body', async () => {
    await listen();
    const server = await serve('west', (asked, answer) => void asked.pipe(answer));
    server.on('checkContinue', (asked: IncomingMessage, answer) => {
      answer.writeContinue();
      asked.pipe(answer);
    });
    const asked = request({
      port: listener.port,
      agent,
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': 4 },
    });
    asked.flushHeaders();
    await new Promise((resolve) => {
      asked.once('continue', resolve);
    });
    const answer = answerTo(asked);
    asked.end('body');
    assert.equal((await answer).body, 'body');
  });

  it('has early hints', async () => {
    await listen();
    await serve('west', (_, answer) => answer.writeEarlyHints({ link: '</x>; rel=preload' }, () => answer.end()));
    const asked = request({ port: listener.port, agent });
    const hints = new Promise<number>((resolve) => {
      asked.once('information', ({ statusCode }) => resolve(statusCode));
    });
    asked.end();
    assert.equal((await answerTo(asked)).status, 200);
    assert.equal(await hints, 103);
  });

  it('has none of that with HTTP/1.0', async () => {
    await listen();
    await serve('west', (_, answer) => answer.writeEarlyHints({ link: '</x>; rel=preload' }, () => answer.end('x')));
    assert.match(await exchange('GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/);
  });

  it('goes on with HTTP/1.0 where the client wants that', async () => {
    await listen();
    await serve('west', (_, answer) => answer.writeHead(200, { 'Content-Length': 1 }).end('x'));
    const two = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'.repeat(2);
    const said = await exchange(two, (sofar) => sofar.endsWith('\r\n\r\nx') && sofar.split('200 OK').length === 3);
    assert.match(said, /Connection: keep-alive/);
  });

  it('sends every event on at once', async () => {
    await listen();
    let say: ((event: string) => void) | undefined;
    await serve('west', (_, answer) => {
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      answer.flushHeaders();
      say = (event) => answer.write(`data: ${event}\n\n`);
    });
    const asked = request({ port: listener.port, agent });
    asked.end();
    const answer = await new Promise<IncomingMessage>((resolve) => {
      asked.once('response', resolve);
    });
    for (const event of ['one', 'two', 'three']) {
      const piece = new Promise<Buffer>((resolve) => {
        answer.once('data', resolve);
      });
      say!(event);
      assert.equal((await piece).toString(), `data: ${event}\n\n`);
    }
    asked.on('error', () => {});
    asked.destroy();
  });

  it('has an answer while the request is still being sent', async () => {
    await listen();
    await serve('west', (asked, answer) => {
      answer.writeHead(200);
      asked.on('data', (piece: Buffer) => answer.write(piece.toString().toUpperCase()));
      asked.once('end', () => answer.end('.'));
    });
    const asked = request({ port: listener.port, agent, method: 'POST' });
    asked.write('one');
    const answer = await new Promise<IncomingMessage>((resolve) => {
      asked.once('response', resolve);
    });
    let said = '';
    answer.on('data', (piece) => (said += String(piece)));
    await until('the first word', () => said === 'ONE');
    asked.write('two');
    await until('the second word', () => said === 'ONETWO');
    asked.end();
    await until('the end', () => said === 'ONETWO.');
    assert.equal((await ask('/', { method: 'POST' }, 'again')).body, 'AGAIN.');
    assert.equal(way.connects, 1);
  });

  it('ends where a server has answered and closed before all was sent', async () => {
    await listen();
    await serveRaw('west', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'));
    });
    const said = await exchange('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nfirst');
    assert.match(said, /^HTTP\/1\.1 413 [^]*Connection: close\r\n\r\nno$/);
  });

  it('becomes a WebSocket', async () => {
    await listen();
    const server = await serve('west', (_, answer) => answer.end());
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.send('welcome');
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/`);
    const messages: Buffer[] = [];
    socket.on('message', (data) => messages.push(data as Buffer));
    await until('the welcome', () => messages.length === 1);
    const large = randomBytes(MIB);
    socket.send(large);
    await until('the echo', () => messages.length === 2);
    assert.ok(messages[1]!.equals(large));
    assert.equal(way.done, 0, 'the server is busy with it');
    const code = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.close(4000);
    assert.equal(await code, 4000);
  });

  it('becomes what both agree on, with what was said early and half-close', async () => {
    await listen();
    await serveRaw('west', (socket) => {
      let said = '';
      socket.on('data', (chunk) => {
        const isFirst = said === '';
        said += chunk.toString('latin1');
        if (isFirst) socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello');
      });
      socket.on('end', () => socket.end(said.slice(said.indexOf('\r\n\r\n') + 4).toUpperCase()));
    });
    const socket = dial(listener.port);
    let said = '';
    socket.on('data', (chunk) => (said += chunk.toString()));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ');
    await until('the greeting', () => said.endsWith('hello'));
    socket.end('late');
    await until('the answer', () => said.endsWith('EARLY LATE'));
  });

  it('has the protocols that a server requires', async () => {
    await listen();
    await serve('west', (_, answer) => answer.writeHead(426, { Connection: 'Upgrade', Upgrade: 'x/2' }).end());
    const { status, headers } = await ask();
    assert.deepEqual([status, headers.connection, headers.upgrade], [426, 'Upgrade', 'x/2']);
  });

  it('does not change its protocol unasked', async () => {
    await listen();
    await serveRaw('west', answering('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'));
    const { status, body } = await ask();
    assert.equal(status, 502);
    assert.equal(body, 'backend: west did not answer: its answer changes the protocol unasked\n');
  });
});

describe('a request that is not clear', () => {
  for (const [what, bytes, status] of [
    ['with two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['that is too long', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['of another version', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
  ] as const)
    it(`${what} is refused, reaches nobody, and ends the connection`, async () => {
      await listen();
      await serve('west', (_, answer) => answer.end());
      const said = await exchange(`${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.match(said, new RegExp(`^HTTP/1.1 ${status} [^]*Connection: close\r\n\r\nbackend: the request .*\n$`));
      assert.equal(way.given, 0);
    });

  it('in the middle of its body is taken back from the server', async () => {
    await listen();
    const server = await serveRaw('west', (socket) => socket.resume());
    const socket = dial(listener.port);
    const said = heard(socket, () => false);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n');
    await until('the server', () => server.sockets.size === 1);
    socket.write('nonsense\r\n');
    assert.match(await said, /^HTTP\/1\.1 400 /);
    await until('the server to be left', () => server.sockets.size === 0);
  });
});

it('a request that is not clear any more, while its answer is under way, ends that with a reset', async () => {
  await listen();
  await serve('west', (asked, answer) => {
    answer.on('error', () => {});
    asked.on('error', () => {}).once('data', () => answer.write('begun'));
  });
  const socket = dial(listener.port);
  let said = '';
  socket.on('data', (chunk) => (said += chunk.toString()));
  const reset = new Promise<string | undefined>((resolve) => {
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code)).once('end', () => resolve(undefined));
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n');
  await until('the answer to begin', () => said.includes('begun'));
  socket.write('nonsense\r\n');
  assert.equal(await reset, 'ECONNRESET');
  assert.doesNotMatch(said, /HTTP\/1\.1 400/);
});

describe('an answer that is not clear', () => {
  for (const [what, bytes] of [
    ['with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    ['that is no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['with a folded field', 'HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n'],
  ] as const)
    it(`${what} is a 502, and its connection is not used again`, async () => {
      await listen();
      await serveRaw('west', answering(bytes));
      for (let count = 1; count <= 2; count++) {
        const { status, body } = await ask('/', { method: 'POST' });
        assert.equal(status, 502);
        assert.match(body, /^backend: west did not answer: its answer .*\n$/);
        assert.equal(way.connects, count);
      }
    });

  it('with more behind it is passed on alone, and its connection is not used again', async () => {
    await listen();
    await serveRaw(
      'west',
      answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    );
    assert.equal((await ask()).body, 'ok');
    assert.equal((await ask()).body, 'ok');
    assert.equal(way.connects, 2);
  });

  it('that comes before its request is for nobody', async () => {
    await listen();
    const server = await serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    assert.equal((await ask()).body, 'ok');
    for (const socket of server.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await until('the connection to go', () => server.sockets.size === 0);
    assert.equal((await ask()).body, 'ok');
  });
});

describe('where a server fails', () => {
  /** Takes a request, and ends the connection without an answer. */
  const breaking = (socket: Socket) => void socket.once('data', () => socket.destroy());

  it('to take a connection, another one answers', async () => {
    await listen();
    way.servers.push({ site: 'east', port: 1, refuses: new StreamError({ code: 'refused', message: 'it is full' }) });
    await serve('west', (_, answer) => answer.end('west'));
    for (let count = 0; count < 4; count++) assert.equal((await ask('/', { method: 'POST' }, 'x')).body, 'west');
  });

  it('before it answered, another one gets the whole request again', async () => {
    await listen();
    await serveRaw('east', breaking);
    await serve('west', (asked, answer) => asked.pipe(answer));
    for (let count = 0; count < 4; count++) assert.equal((await ask('/', { method: 'PUT' }, 'body')).body, 'body');
  });

  it('before it answered, a request that may not be repeated is told so', async () => {
    await listen();
    await serveRaw('east', breaking);
    let count = 0;
    await serve('west', (_, answer) => {
      count++;
      answer.end();
    });
    const { status, body, headers } = await ask('/', { method: 'POST' }, 'x');
    assert.equal(count, 0);
    assert.equal(status, 502);
    assert.equal(body, 'backend: east did not answer: it closed the connection\n');
    assert.match(headers['content-type']!, /^text\/plain/);
    assert.equal((await ask('/', { method: 'POST' }, 'x')).status, 200, 'the connection goes on');
    assert.equal(way.clients, 1);
  });

  it('with more of a body than is kept, the request is not repeated', async () => {
    await listen({ replayBytes: 1000 });
    await serveRaw('east', (socket) => {
      let count = 0;
      socket.on('data', (chunk) => {
        count += chunk.length;
        if (count > 2000) socket.destroy();
      });
    });
    await serve('west', (_, answer) => answer.end('west'));
    const { status } = await ask('/', { method: 'PUT' }, 'x'.repeat(2000));
    assert.equal(status, 502);
  });

  it('again and again, a request that breaks servers does not meet them all', async () => {
    await listen();
    for (let count = 0; count < 5; count++) await serveRaw(`site-${count}`, breaking);
    assert.equal((await ask()).status, 502);
    assert.equal(way.given, 3);
  });

  it('that was asked before, while nobody asked, a new connection is made', async () => {
    await listen();
    const server = await serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    assert.equal((await ask()).body, 'ok');
    // The next request gets there, and so does the end of the connection.
    for (const socket of server.sockets) socket.removeAllListeners('data').once('data', () => socket.destroy());
    assert.equal((await ask()).body, 'ok');
    assert.equal(way.connects, 2);
    assert.equal(way.given, 2, 'it is the same server still');
  });

  it('in the middle of its answer, the client sees that', async () => {
    await listen();
    await serveRaw('west', (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy());
      });
    });
    await assert.rejects(ask(), { code: 'ECONNRESET' });
  });

  it('and nobody is there, the client is told so', async () => {
    await listen();
    const { status, body } = await ask();
    assert.equal(status, 503);
    assert.equal(body, 'backend: no server is there\n');
  });

  it('and all refuse, the client is told why the last one did', async () => {
    await listen();
    for (const site of ['east', 'west'])
      way.servers.push({ site, port: 1, refuses: new StreamError({ code: 'link-lost', message: 'the link was lost' }) });
    const { status, body } = await ask();
    assert.equal(status, 503);
    assert.equal(body, 'backend: west did not answer: the link was lost\n');
  });

  it('to answer in time, the client is told so', async () => {
    await listen();
    way.servers.push({
      site: 'west',
      port: 1,
      refuses: new StreamError({ code: 'timeout', message: 'there was no answer (15 s)' }),
    });
    const { status, body } = await ask();
    assert.equal(status, 504);
    assert.equal(body, 'backend: west did not answer: there was no answer (15 s)\n');
  });
});

describe('connections to servers', () => {
  it('that were idle for long are not used for what must not be sent twice', async () => {
    await listen({ freshWithinMs: -1 });
    await serve('west', (_, answer) => answer.end());
    await ask();
    await ask();
    assert.equal(way.connects, 1);
    await ask('/', { method: 'POST' });
    assert.equal(way.connects, 2);
  });

  it('are closed when they were idle for too long', async () => {
    await listen({ serverIdleMs: 50 });
    const server = await serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    await ask();
    await until('its end', () => [...server.sockets].every(({ readableEnded }) => readableEnded));
  });

  it('are not used any more when the server is about to close them', async () => {
    await listen();
    await serveRaw('west', answering('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'));
    const { headers } = await ask();
    assert.equal(headers['keep-alive'], undefined);
    await ask();
    assert.equal(way.connects, 2);
  });

  it('are kept in a bounded number', async () => {
    await listen({ idlePerServer: 2 });
    const held: (() => void)[] = [];
    const server = await serve('west', (_, answer) => void held.push(() => answer.end()));
    const many = new Agent({ keepAlive: true });
    ends.push(() => many.destroy());
    const answers = Array.from({ length: 5 }, () => ask('/', { agent: many }));
    await until('all of them', () => held.length === 5);
    for (const answer of held) answer();
    await Promise.all(answers);
    await until('three to go', async () => (await connections(server)) === 2);
  });
});

describe('a client', () => {
  it('that is slow with its head is told so', async () => {
    await listen({ headWithinMs: 50 });
    const said = await exchange('GET / HTTP/1.1\r\nHost:');
    assert.match(said, /^HTTP\/1\.1 408 [^]*backend: the request did not come in time\n$/);
  });

  it('that asks nothing more is left', async () => {
    await listen({ clientIdleMs: 50 });
    await serve('west', (_, answer) => answer.writeHead(200, { 'Content-Length': 0 }).end());
    const said = await exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(said, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
  });

  it('that never asks is left', async () => {
    await listen({ clientIdleMs: 50 });
    assert.equal(await exchange(''), '');
  });

  for (const [how, leave] of [
    ['ends', (socket: Socket) => socket.end()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
  ] as const)
    it(`that ${how} while it waits is forgotten by the server, too`, async () => {
      await listen();
      const server = await serveRaw('west', (socket) => socket.resume());
      const socket = dial(listener.port);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until('the request', () => [...server.sockets].some(({ bytesRead }) => bytesRead > 0));
      leave(socket);
      await until('the server to be left', () => server.sockets.size === 0);
      await until('its end', () => way.clients === 0);
    });

  it('that has gone before a server was there costs nothing', async () => {
    await listen();
    await serveRaw('west', (socket) => socket.resume());
    const socket = dial(listener.port);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the request', () => way.given === 1);
    socket.resetAndDestroy();
    await until('the server to be done', () => way.done === 1);
  });
});

describe('a listener that is closed', () => {
  it('lets an answer that has begun go on to its end, and then ends both connections', async () => {
    await listen();
    let finish: (() => void) | undefined;
    const server = await serve('west', (_, answer) => {
      answer.write('first ');
      finish = () => answer.end('last');
    });
    const socket = dial(listener.port);
    let said = '';
    socket.on('data', (chunk) => (said += chunk.toString()));
    const end = new Promise((resolve) => {
      socket.once('end', resolve);
    });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the answer to begin', () => said.includes('first'));
    listener.close();
    finish!();
    await end;
    socket.end();
    assert.match(said, /last\r\n0\r\n\r\n$/);
    await until('the server to be left', async () => (await connections(server)) === 0);
  });

  it('lets the request that is under way finish, and ends the connection with it', async () => {
    await listen();
    let answerIt: (() => void) | undefined;
    const server = await serve('west', ({ url }, answer) => {
      if (url === '/slow') answerIt = () => answer.end('done');
      else answer.end();
    });
    const idle = exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the first to be answered', () => way.done === 1);
    const busy = exchange('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the second', () => answerIt);
    listener.close();
    assert.match(await idle, /200 OK/);
    answerIt!();
    assert.match(await busy, /Connection: close\r\n\r\n4\r\ndone|Connection: close\r\n\r\ndone/);
    await assert.rejects(exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { code: 'ECONNREFUSED' });
    await until('the server to be left', async () => (await connections(server)) === 0);
  });
});
