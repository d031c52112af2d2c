/** Servers that speak nothing better than HTTP/1.1, behind clients of HTTP/2. */
import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { FRESH_WITHIN_MS } from '../http/limits.ts';
import { answerOf, askHttp2, responseOf, says } from './ends.testkit.ts';
import { type Say, Stage, stalled } from './stage.testkit.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;
const MIB = 1024 * 1024;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

/** A request whose body does not come to its end. */
function unfinished(client = stage.client, path = '/slow'): ClientHttp2Stream {
  const stream = client.request({ ':method': 'POST', ':path': path });
  stream.on('error', () => {});
  stream.write('some');
  return stream;
}

/** Says this once to each request, as soon as its head is there. */
function answering(...answers: string[]): Say {
  const heads = new WeakMap<object, number>();
  return (said, socket) => {
    const before = heads.get(socket) ?? 0;
    const now = said.split('\r\n\r\n').length - 1;
    heads.set(socket, now);
    for (let at = before; at < now; at++) socket.write(answers.length > 1 ? answers.shift()! : answers[0]!, 'latin1');
  };
}

describe('a request to a server of HTTP/1.1', () => {
  it('has one connection for itself, which is kept, and the fields and trailers of HTTP/2', async () => {
    const seen: string[] = [];
    const server = await stage.serveHttp1((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const { method, url, headers, trailers } = request;
        const names = ['host', 'cookie', 'te', 'connection', 'x-many'];
        seen.push([method, url, ...names.map((name) => headers[name]), body].join(' '), JSON.stringify(trailers));
        response.setHeader('trailer', 'x-sum');
        response.setHeader('keep-alive', 'timeout=5');
        response.write('old');
        response.addTrailers({ 'x-sum': '9' });
        response.end();
      });
    });
    let connections = 0;
    server.on('connection', () => connections++);
    await stage.open([server.port]);
    for (let at = 0; at < 3; at++) {
      const fields = { ':authority': 'shop.example', cookie: ['a=1', 'b=2'], te: 'trailers', 'x-many': ['1', '2'] };
      const stream = stage.client.request({ ':method': 'POST', ':path': '/x', ...fields }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-asked': '7', 'content-length': '7' }));
      stream.end('question');
      const { headers, body, trailers } = await answerOf(stream);
      assert.deepEqual([headers[':status'], body, trailers?.['x-sum'], headers['connection']], [200, 'old', '9', undefined]);
      assert.deepEqual(seen.splice(0), ['POST /x shop.example a=1; b=2 trailers te 1, 2 question', '{"x-asked":"7"}']);
    }
    // One that failed in HTTP/2, and one for all requests.
    assert.equal(connections, 2);
  });

  it('has its length where that is known, chunks where it is not, and neither where there is no body', async () => {
    const server = await stage.serveHttp1((request, response) => {
      const { 'content-length': length, 'transfer-encoding': coding, trailer } = request.headers;
      request.resume().on('end', () => response.end(`${length} ${coding} ${trailer}`));
    });
    await stage.open([server.port]);
    const ask = async (headers: object, body?: string) => (await askHttp2(stage.client, { ...headers }, body)).body;
    assert.equal(await ask({ ':method': 'GET' }), 'undefined undefined undefined');
    assert.equal(await ask({ ':method': 'POST' }), '0 undefined undefined');
    assert.equal(await ask({ ':method': 'POST', 'content-length': '2', trailer: 'x-sum' }, 'ok'), '2 undefined undefined');
    assert.equal(await ask({ ':method': 'POST', trailer: 'x-sum, Content-Length' }, 'ok'), 'undefined chunked x-sum');
  });

  it('does not pass where servers may take a field for another one, or where it wants a tunnel', async () => {
    let heads = 0;
    const server = await stage.serveHttp1((_, response) => {
      heads++;
      response.end();
    });
    await stage.open([server.port]);
    const { headers, body } = await askHttp2(stage.client, { ':method': 'POST', transfer_encoding: 'chunked' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /transfer_encoding does not pass to a server that speaks HTTP\/1\.1/);
    const tunnel = stage.client.request({ ':method': 'CONNECT', ':authority': 'a:1' });
    assert.equal((await responseOf(tunnel))?.[':status'], 502);
    tunnel.close();
    assert.equal(heads, 0);
  });

  it('of gRPC fails with the reason: that needs HTTP/2', async () => {
    const server = await stage.serveHttp1((_, response) => response.end());
    await stage.open([server.port]);
    await askHttp2(stage.client);
    const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    const { headers } = await askHttp2(stage.client, grpc, 'x');
    assert.equal(headers['grpc-status'], '14');
    assert.match(String(headers['grpc-message']), /closed the connection instead of speaking HTTP\/2/);
  });

  it('that is taken back ends at the server, before and after the response has begun', async () => {
    const seen: string[] = [];
    const server = await stage.serveHttp1((request, response) => {
      seen.push(request.url!);
      response.once('close', () => seen.push(`${request.url} ${response.writableFinished}`));
      if (request.url === '/begun') response.write('some');
    });
    await stage.open([server.port]);
    for (const path of ['/silent', '/begun']) {
      const stream = stage.client.request({ ':path': path });
      if (path === '/begun') await responseOf(stream);
      await until('it at the server', () => seen.includes(path));
      stream.on('error', () => {}).close(NGHTTP2_CANCEL);
      await until('its end there', () => seen.includes(`${path} false`));
    }
  });
});

describe('the response of a server of HTTP/1.1', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';

  async function ask(answer: string, headers: object = {}): ReturnType<typeof askHttp2> {
    const server = await stage.serveRaw(answering(answer));
    await stage.open([server.port]);
    return askHttp2(stage.client, { ...headers });
  }

  it('has its fields as they came, without what is about the connection', async () => {
    const named = 'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\n';
    const { headers, body } = await ask(
      `${OK}Set-Cookie: a=1\r\nSET-COOKIE: b=2\r\nX: \xe9 \r\n${named}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`,
    );
    assert.equal(body, 'ok');
    assert.deepEqual(Object.fromEntries(Object.entries(headers)), {
      ':status': 200,
      'set-cookie': ['a=1', 'b=2'],
      x: '\xe9',
      'content-length': '2',
    });
  });

  it('may end with its connection, and may have trailers', async () => {
    const ends = await stage.serveRaw((_, socket) => void socket.end(`${OK}\r\nto the end`));
    const chunks = await stage.serveRaw(
      answering(`${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\nX-Sum: 10\r\n\r\n`),
    );
    await stage.open([ends.port, chunks.port]);
    const { body, code } = await askHttp2(stage.client);
    assert.deepEqual([body, code], ['to the end', NGHTTP2_NO_ERROR]);
    const answer = await askHttp2(stage.client);
    assert.deepEqual([answer.body, answer.trailers?.['x-sum']], ['abc', '9, 10']);
  });

  for (const [method, status, length] of [
    ['HEAD', 200, '5'],
    ['GET', 204, undefined],
    ['GET', 304, '5'],
  ] as const)
    it(`has no body for ${method} and ${status}, whatever its fields say, and the connection goes on`, async () => {
      const server = await stage.serveRaw(answering(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`));
      await stage.open([server.port]);
      for (let at = 0; at < 2; at++) {
        const { headers, body, code } = await askHttp2(stage.client, { ':method': method });
        assert.deepEqual([headers[':status'], headers['content-length'], body, code], [status, length, '', NGHTTP2_NO_ERROR]);
      }
      assert.deepEqual([...stage.way.connections.values()], [2]);
    });

  it('comes behind what comes before it: 100, and hints as they are', async () => {
    const { informed, headers } = await ask(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: no link\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    );
    assert.deepEqual(
      informed.map((each) => [each[':status'], each['link']]),
      [
        [100, undefined],
        [103, 'no link'],
      ],
    );
    assert.equal(headers[':status'], 200);
  });

  for (const [what, answer] of [
    ['can be read in two ways', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['has characters that none may have', `${OK}X: \0\r\n\r\n`],
    ['changes the protocol unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ] as const)
    it(`is none where it ${what}`, async () => {
      const { headers, body } = await ask(answer);
      assert.equal(headers[':status'], 502);
      assert.match(body, /gave no whole answer in HTTP\/1\.1 \((?:its answer )/);
    });

  it('that breaks off resets the request', async () => {
    const server = await stage.serveRaw((_, socket) => void socket.end(`${OK}Content-Length: 9\r\n\r\nsome`));
    await stage.open([server.port]);
    const { headers, body, code } = await askHttp2(stage.client);
    assert.deepEqual([headers[':status'], body, code], [200, 'some', NGHTTP2_INTERNAL_ERROR]);
  });

  it('with more behind it is passed on alone, and its connection is not used again', async () => {
    const whole = `${OK}Content-Length: 2\r\n\r\nok`;
    const server = await stage.serveRaw(answering(`${whole}${whole.replace('ok', 'no')}`));
    await stage.open([server.port]);
    for (let at = 0; at < 2; at++) assert.equal((await askHttp2(stage.client)).body, 'ok');
    assert.deepEqual([...stage.way.connections.values()], [3]);
  });

  it('may come before the body is whole: the rest is sent all the same', async () => {
    let bytes = 0;
    const server = await stage.serveHttp1((request, response) => {
      response.end('early');
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    });
    await stage.open([server.port]);
    const stream = stage.client.request({ ':method': 'POST' });
    stream.resume();
    await responseOf(stream);
    stream.end(Buffer.alloc(MIB));
    await until('all of it at the server', () => bytes === MIB);
    assert.equal((await askHttp2(stage.client)).body, 'early');
    // The connection is used again behind the request's end.
    assert.deepEqual([...stage.way.connections.values()], [2]);
  });
});

describe('a request to a server of HTTP/1.1 that has it ask for the body', () => {
  for (const [before, connections] of [
    ['', 3],
    ['HTTP/1.1 100 Continue\r\n\r\n', 2],
  ] as const)
    it(`${before === '' ? 'leaves' : 'keeps'} the connection where that ${before === '' ? 'never did' : 'did'}: else the body might be its next request`, async () => {
      const server = await stage.serveRaw(answering(`${before}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`));
      await stage.open([server.port]);
      const stream = stage.client.request({ ':method': 'PUT', 'content-length': 1, expect: '100-continue' });
      const answer = answerOf(stream);
      await responseOf(stream);
      stream.end('x');
      assert.equal((await answer).body, 'ok');
      assert.equal((await askHttp2(stage.client)).body, 'ok');
      assert.deepEqual([...stage.way.connections.values()], [connections]);
    });
});

describe('flow control to a server of HTTP/1.1', () => {
  function pour(into: { write(chunk: Buffer, done: () => void): unknown; destroyed?: boolean }): () => number {
    let bytes = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      if (into.destroyed) return;
      bytes += chunk.length;
      into.write(chunk, more);
    };
    more();
    return () => bytes;
  }

  it('stops a client whose server does not read', async () => {
    const server = await stage.serveHttp1((request, response) => {
      if (request.url === '/fine') response.end('fine');
    });
    await stage.open([server.port]);
    assert.equal((await askHttp2(stage.client, { ':path': '/fine' })).body, 'fine');
    const stream = stage.client.request({ ':method': 'POST' });
    stream.on('error', () => {});
    const bytes = await stalled(pour(stream));
    assert.ok(bytes < 8 * MIB, `${bytes} bytes were taken though nobody reads`);
    assert.equal((await askHttp2(stage.client, { ':path': '/fine' })).body, 'fine');
    stream.close(NGHTTP2_CANCEL);
  });

  it('stops a server whose client does not read', async () => {
    let sent = (): number => 0;
    const server = await stage.serveHttp1((request, response) => {
      if (request.url === '/fine') response.end('fine');
      else sent = pour(response);
    });
    await stage.open([server.port]);
    const stream = stage.client.request({ ':path': '/stuck' });
    await responseOf(stream);
    const bytes = await stalled(() => sent());
    assert.ok(bytes < 8 * MIB, `${bytes} bytes were taken though nobody reads`);
    assert.equal((await askHttp2(stage.client, { ':path': '/fine' })).body, 'fine');
    stream.close(NGHTTP2_CANCEL);
  });

  it('carries bodies of many megabytes both ways at once', async () => {
    const server = await stage.serveHttp1((request, response) => request.pipe(response));
    await stage.open([server.port]);
    const { body } = await askHttp2(stage.client, { ':method': 'POST' }, Buffer.alloc(24 * MIB, 'x'));
    assert.equal(body.length, 24 * MIB);
  });
});

describe('the connections to a server of HTTP/1.1', () => {
  let open: number;
  let most: number;
  let held: { request: IncomingMessage; response: ServerResponse }[];

  /** Opens a listener before a server that answers `/fine` at once, and holds everything else. */
  async function openHolding(limits: Parameters<Stage['open']>[1] = {}): Promise<void> {
    open = 0;
    most = 0;
    held = [];
    const server = await stage.serveHttp1((request, response) => {
      if (request.url === '/fine') response.end('fine');
      else held.push({ request, response });
    });
    server.on('connection', (socket) => {
      most = Math.max(most, ++open);
      socket.once('close', () => open--);
    });
    await stage.open([server.port], limits);
    await fine();
  }

  async function fine(client: ClientHttp2Session = stage.client): Promise<void> {
    assert.equal((await askHttp2(client, { ':path': '/fine' })).body, 'fine');
  }

  it('are not all held by 64 uploads of one client that do not end, nor by those of several', async () => {
    await openHolding();
    // Of the first it is all the same on how many connections they come.
    for (const client of [stage.client, stage.anotherClient(), stage.anotherClient('127.0.0.2')])
      for (let left = 64; left > 0; left--) unfinished(client);
    await until('what passes of them', () => held.length >= 64 + 32);
    for (let at = 0; at < 10; at++) await fine(stage.anotherClient('127.0.0.3'));
  });

  it('are so many at most; what waits for one is told so after a time, or at once where too much waits', async () => {
    await openHolding({ http1ConnectionsPerServer: 4, waitingPerServer: 1, waitForServerMs: 200 });
    const streams = [unfinished(), unfinished()];
    await until('both at the server', () => held.length === 2);
    const late = askHttp2(stage.client, { ':method': 'POST' }, 'x');
    const full = await askHttp2(stage.client, { ':method': 'POST' }, 'x');
    assert.equal(full.headers[':status'], 503);
    assert.match(full.body, /is busy: 1 requests wait for it already/);
    const told = await late;
    assert.equal(told.headers[':status'], 503);
    assert.match(told.body, /is busy: it had no room for a further request within 0\.2 s/);
    // Another client has its share, and none for longer than it needs it.
    const other = stage.anotherClient('127.0.0.2');
    for (let at = 0; at < 5; at++) await fine(other);
    assert.ok(most <= 4, `${most} connections`);
    const next = askHttp2(stage.client, { ':path': '/fine' });
    streams[0]!.close(NGHTTP2_CANCEL);
    assert.equal((await next).body, 'fine');
  });

  it('are not kept beside new ones where they are too old for a request', async () => {
    await openHolding();
    const ask = async (method: string): Promise<void> => {
      const answers = Array.from({ length: 4 }, () => askHttp2(stage.client, { ':method': method }));
      await until('all at the server', () => held.length === 4);
      await until('a connection for each', () => open === 4);
      for (const { response } of held.splice(0)) response.end();
      await Promise.all(answers);
    };
    await ask('GET');
    const before = performance.now();
    await until('them to be too old', () => performance.now() - before > FRESH_WITHIN_MS);
    await ask('POST');
    assert.deepEqual([...stage.way.connections.values()], [1 + 4 + 4]);
  });

  it('are not waited for by what has been taken back', async () => {
    await openHolding({ http1ConnectionsPerServer: 2, waitingPerServer: 1, waitForServerMs: 60_000 });
    unfinished();
    await until('it at the server', () => held.length === 1);
    for (let at = 0; at < 3; at++) {
      const waits = unfinished();
      await until('it to wait', () => stage.way.busy.size === 2);
      waits.close(NGHTTP2_CANCEL);
      await until('it to be over', () => stage.way.busy.size === 1);
    }
    assert.equal(held.length, 1);
  });

  it('are closed after a time without a request', async () => {
    await openHolding({ serverIdleMs: 50, reviewEveryMs: 20 });
    await until('the connection to close', () => open === 0);
    await fine();
  });

  it('are closed with the listener: at once where they are idle, else behind the response', async () => {
    await openHolding();
    const answers = [1, 2].map(() => askHttp2(stage.client, { ':path': '/held' }));
    await until('both at the server', () => held.length === 2);
    held[0]!.response.end('first');
    assert.equal((await Promise.race(answers)).body, 'first');
    assert.equal(open, 2);
    stage.listener.close();
    await until('the idle one to close', () => open === 1);
    held[1]!.response.end('last');
    assert.deepEqual((await Promise.all(answers)).map(({ body }) => body).sort(), ['first', 'last']);
    await until('the other one to close', () => open === 0);
  });

  it('that ended while nobody asked are replaced', async () => {
    const server = await stage.serveRaw((said, socket) => {
      // The first request is answered; whatever comes second on a connection ends it.
      if (said.split('\r\n\r\n').length > 2) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere');
    });
    await stage.open([server.port]);
    for (let at = 0; at < 3; at++) assert.equal((await askHttp2(stage.client)).body, 'here');
    // It may have been done by then.
    const { headers, body } = await askHttp2(stage.client, { ':method': 'POST' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /gave no whole answer in HTTP\/1\.1/);
  });
});

describe('what a server speaks', () => {
  it('is not remembered of one that closes at once', async () => {
    const server = await stage.serveRaw((_, socket) => void socket.destroy());
    await stage.open([server.port]);
    const { headers, body } = await askHttp2(stage.client);
    assert.equal(headers[':status'], 502);
    assert.match(body, /gave no whole answer in HTTP\/1\.1/);
    const { port } = server;
    await server.stop();
    await stage.serve(says('grown up'), {}, port);
    assert.equal((await askHttp2(stage.client)).body, 'grown up');
  });
});
