import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, it } from 'node:test';
import { dial, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import { answerOf, askHttp2, dialHttp2, H2Server, responseOf, says } from './ends.testkit.ts';
import { openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { Frame, frame, PREFACE_BYTES, RawEnd, uint32 } from './raw-frames.testkit.ts';
import { TestWay } from './way.testkit.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
const MIB = 1024 * 1024;

let way: TestWay;
let listener: ProtocolListener;
let client: ClientHttp2Session;
const servers: { stop(): unknown }[] = [];
const clients: ClientHttp2Session[] = [];

async function serve(...all: Parameters<typeof H2Server.start>): Promise<H2Server> {
  const server = await H2Server.start(...all);
  servers.push(server);
  return server;
}

async function serveTcp(handle: Parameters<typeof TestServer.start>[0]): Promise<TestServer> {
  const server = await TestServer.start(handle);
  servers.push(server);
  return server;
}

/** Opens the listener in front of these servers, and connects a client. */
async function open(ports: number[], limits: Partial<Limits> = {}, tls?: ServerTls): Promise<void> {
  way = new TestWay(ports, tls);
  listener = await openHttp2ListenerWithin({ ...DEFAULT_LIMITS, ...limits }, '127.0.0.1', 0, way);
  client = anotherClient();
}

function anotherClient(): ClientHttp2Session {
  const another = dialHttp2(listener.port);
  clients.push(another);
  return another;
}

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = await TestServer.start(() => {});
  const { port } = server;
  await server.stop();
  return port;
}

function grpc(path = '/orders.Orders/Get'): Record<string, string> {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
}

afterEach(async () => {
  listener.close();
  for (const each of clients.splice(0)) each.destroy();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await until('every server to be given back', () => way.busy.size === 0);
  assert.equal(way.doneTwice, 0);
  await until('every client to be gone', () => way.clients === 0);
});

describe('a request over HTTP/2', () => {
  it('reaches the server with its fields, and the answer comes back with its own', async () => {
    const server = await serve((stream) => {
      // Node's types do not know that it can leave out the date.
      const withoutDate = { endStream: false, sendDate: false };
      stream.respond({ ':status': 201, 'set-cookie': ['a=1', 'b=2'], 'x-many': ['1', '2'] }, withoutDate);
      stream.end('made');
    });
    await open([server.port]);
    const answer = await askHttp2(client, {
      ':path': '/orders?all',
      ':authority': 'shop.example',
      'x-one': ['a', 'b'],
      cookie: 'c=1',
      traceparent: '00-1-2-01',
      tracestate: 'a=1',
      te: 'trailers',
    });
    assert.equal(answer.body, 'made');
    assert.equal(answer.headers[':status'], 201);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['x-many'], '1, 2');
    assert.equal(answer.headers['date'], undefined);
    const [request] = server.requests;
    assert.equal(request?.[':path'], '/orders?all');
    assert.equal(request[':authority'], 'shop.example');
    assert.equal(request['x-one'], 'a, b');
    assert.equal(request['cookie'], 'c=1');
    assert.deepEqual([request['traceparent'], request['tracestate']], ['00-1-2-01', 'a=1']);
    assert.equal(request['te'], 'trailers');
    assert.equal(request['x-forwarded-for'], '127.0.0.1');
    assert.equal(request['x-forwarded-proto'], 'http');
    assert.equal(request['x-forwarded-host'], 'shop.example');
    assert.equal(request['forwarded'], 'for=127.0.0.1;host=shop.example;proto=http');
  });

  it('tells the network its path and its fields', async () => {
    const server = await serve(says('here'));
    await open([server.port]);
    await askHttp2(client, { ':path': '/a?b=/c', 'X-Tenant': 'blue', baggage: ['a=1', 'b=2'] });
    assert.equal(way.asked[0]?.path, '/a');
    assert.equal(way.asked[0].header('baggage'), 'a=1, b=2');
    assert.equal(way.asked[0].header('x-tenant'), 'blue');
    assert.equal(way.asked[0].header('X-Tenant'), 'blue');
    assert.equal(way.asked[0].header('x-other'), undefined);
  });

  it('appends to what proxies before it have said', async () => {
    const server = await serve(says('here'));
    await open([server.port]);
    await askHttp2(client, {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'outer.example',
      forwarded: 'for=192.0.2.1',
    });
    const [request] = server.requests;
    assert.equal(request?.['x-forwarded-for'], '192.0.2.1, 127.0.0.1');
    assert.equal(request['x-forwarded-proto'], 'https');
    assert.equal(request['x-forwarded-host'], 'outer.example');
    assert.match(String(request['forwarded']), /^for=192\.0\.2\.1, for=127\.0\.0\.1;host=.*;proto=http$/);
    assert.equal(request['traceparent'], undefined, 'it is never made');
  });

  it('goes to the server whose turn it is, each on its own, on one client connection and one connection a server', async () => {
    const [blue, green] = [await serve(says('blue')), await serve(says('green'))];
    await open([blue.port, green.port]);
    const bodies = [];
    for (let at = 0; at < 6; at++) bodies.push((await askHttp2(client)).body);
    assert.deepEqual(bodies, ['blue', 'green', 'blue', 'green', 'blue', 'green']);
    assert.deepEqual([...way.connections.values()], [1, 1]);
    assert.equal(way.clients, 1);
  });

  it('shares one connection to a server with other clients', async () => {
    const server = await serve(says('here'));
    await open([server.port]);
    await Promise.all(Array.from({ length: 20 }, (_, at) => askHttp2(at % 2 ? client : anotherClient())));
    assert.deepEqual([...way.connections.values()], [1]);
  });

  it('carries trailers both ways', async () => {
    const seen: unknown[] = [];
    const server = await serve((stream) => {
      stream.on('trailers', (trailers) => seen.push(trailers['x-sum']));
      stream.on('data', () => {});
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-sum': '9' }));
        stream.end('body');
      });
    });
    await open([server.port]);
    const stream = client.request({ ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.end('question');
    const answer = await answerOf(stream);
    assert.deepEqual([answer.body, answer.trailers?.['grpc-status'], answer.trailers?.['x-sum']], ['body', '0', '9']);
    assert.deepEqual(seen, ['7']);
  });

  it('may have a body of nothing', async () => {
    const server = await serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await open([server.port]);
    for (let at = 0; at < 3; at++) assert.equal((await askHttp2(client, { ':method': 'POST' }, '')).headers[':status'], 200);
  });

  it('carries trailers of a response to a request without a body', async () => {
    const server = await serve((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '9' }));
      stream.end('body');
    });
    await open([server.port]);
    assert.equal((await askHttp2(client)).trailers?.['x-sum'], '9');
  });

  it('carries a response that is nothing but its head, as gRPC has them', async () => {
    const server = await serve((stream) => {
      stream.resume();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true });
    });
    await open([server.port]);
    const stream = client.request(grpc());
    const flags = new Promise<number>((resolve) => {
      stream.once('response', (_headers, at) => resolve(at));
    });
    stream.end('x');
    const answer = await answerOf(stream);
    assert.equal(answer.headers['grpc-status'], '5');
    assert.equal(answer.trailers, undefined);
    assert.ok((await flags) & constants.NGHTTP2_FLAG_END_STREAM);
  });

  it('passes on what comes before a response: 100 and 103', async () => {
    const server = await serve((stream) => {
      stream.additionalHeaders({ ':status': 100 });
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 });
      stream.end();
    });
    await open([server.port]);
    const { informed, headers } = await askHttp2(client);
    assert.deepEqual(
      informed.map((each) => [each[':status'], each['link']]),
      [
        [100, undefined],
        [103, '</a.css>'],
      ],
    );
    assert.equal(headers[':status'], 200);
  });

  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const)
    it(`keeps ${method} with ${status} without a body`, async () => {
      const server = await serve((stream) => {
        stream.respond({ ':status': status, 'x-kept': 'yes', ...(method === 'HEAD' && { 'content-length': '1000' }) });
        stream.end();
      });
      await open([server.port]);
      const { headers, body, code } = await askHttp2(client, { ':method': method });
      assert.deepEqual([headers[':status'], headers['x-kept'], body, code], [status, 'yes', '', NGHTTP2_NO_ERROR]);
    });

  it('keeps fields that may not be put into compression tables out of them', async () => {
    const server = await serve(says('here'));
    await open([server.port]);
    const { sensitiveHeaders } = await import('node:http2');
    const key = sensitiveHeaders as unknown as string;
    await askHttp2(client, { 'x-secret': 'a', [key]: ['x-secret'] });
    assert.deepEqual(server.requests[0]?.[key], ['x-secret']);
  });

  it('carries fields of many frames (CONTINUATION)', async () => {
    const long = 'v'.repeat(9000);
    const server = await serve((stream, headers) => {
      stream.respond({ ':status': 200, a: headers['a'], b: headers['b'], c: headers['c'] });
      stream.end();
    });
    await open([server.port]);
    const { headers } = await askHttp2(client, { a: long, b: long, c: long });
    assert.deepEqual([headers['a'], headers['b'], headers['c']], [long, long, long]);
  });

  it('carries bodies of many megabytes both ways at once', async () => {
    const server = await serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await open([server.port]);
    const payload = Buffer.alloc(24 * MIB, 'x');
    const { body } = await askHttp2(client, { ':method': 'POST' }, payload);
    assert.equal(body.length, payload.length);
  });

  it('may be answered before its body has come, and then the client need not send the rest', async () => {
    const server = await serve((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too much');
      stream.once('finish', () => stream.close(NGHTTP2_NO_ERROR));
    });
    await open([server.port]);
    const stream = client.request({ ':method': 'POST' });
    stream.write('x'.repeat(1000));
    const { headers, body, code } = await answerOf(stream);
    assert.deepEqual([headers[':status'], body, code], [413, 'too much', NGHTTP2_NO_ERROR]);
  });

  it('goes on sending its body to a server that has finished its response', async () => {
    const got = new Promise<number>((resolve) => {
      void serve((stream) => {
        stream.respond({ ':status': 200 });
        stream.end('early');
        let bytes = 0;
        stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
        stream.on('end', () => resolve(bytes));
      }).then(({ port }) => open([port]));
    });
    await until('the listener', () => clients.length > 0);
    const stream = client.request({ ':method': 'POST' });
    stream.resume();
    await responseOf(stream);
    await new Promise((resolve) => stream.once('end', resolve));
    stream.end('x'.repeat(MIB));
    assert.equal(await got, MIB);
  });
});

describe('flow control', () => {
  /** Sends for as long as it is taken, and counts what was. */
  function pour(stream: ClientHttp2Stream | ServerHttp2Stream): () => number {
    let bytes = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      if (stream.destroyed) return;
      bytes += chunk.length;
      stream.write(chunk, more);
    };
    more();
    return () => bytes;
  }

  /** Resolves to the number once it has stopped growing. */
  async function stalled(count: () => number): Promise<number> {
    let last = -1;
    let still = 0;
    return until('the sender to stall', () => {
      const now = count();
      still = now === last ? still + 1 : 0;
      last = now;
      return still > 10 && now;
    });
  }

  it('stops a client whose server does not read, and no other request', async () => {
    let stuck: ServerHttp2Stream | undefined;
    const server = await serve((stream, headers) => {
      if (headers[':path'] === '/stuck') stuck = stream;
      else says('fine')(stream, headers);
    });
    await open([server.port]);
    const stream = client.request({ ':path': '/stuck', ':method': 'POST' });
    stream.on('error', () => {});
    const sent = await stalled(pour(stream));
    assert.ok(sent < 2 * MIB, `${sent} bytes were taken though nobody reads`);
    assert.equal((await askHttp2(client)).body, 'fine');
    assert.equal((await askHttp2(anotherClient())).body, 'fine');
    stuck!.close(NGHTTP2_CANCEL);
  });

  it('stops a server whose client does not read, and no other request', async () => {
    let sent = (): number => 0;
    const server = await serve((stream, headers) => {
      if (headers[':path'] !== '/stuck') return says('fine')(stream, headers);
      stream.respond({ ':status': 200 });
      sent = pour(stream);
    });
    await open([server.port]);
    const stream = client.request({ ':path': '/stuck' });
    await responseOf(stream);
    const bytes = await stalled(() => sent());
    assert.ok(bytes < 2 * MIB, `${bytes} bytes were taken though nobody reads`);
    assert.equal((await askHttp2(client)).body, 'fine');
    assert.equal((await askHttp2(anotherClient())).body, 'fine');
    stream.close(NGHTTP2_CANCEL);
  });
});

describe('a request that is taken back', () => {
  for (const [name, code] of [
    ['CANCEL', NGHTTP2_CANCEL],
    ['INTERNAL_ERROR', NGHTTP2_INTERNAL_ERROR],
  ] as const)
    it(`by the client with ${name} is reset at the server with the same code, before and after the response`, async () => {
      for (const responds of [false, true]) {
        const seen = new Promise<number>((resolve) => {
          void serve((stream) => {
            stream.once('close', () => resolve(stream.rstCode));
            if (responds) {
              stream.respond({ ':status': 200 });
              stream.write('some');
            }
          }).then(({ port }) => open([port]));
        });
        await until('the listener', () => clients.length > 0);
        const server = servers.at(-1) as H2Server;
        const stream = client.request({ ':method': 'POST' });
        stream.on('error', () => {});
        if (responds) await responseOf(stream);
        else await until('the server to see it', () => server.requests.length > 0);
        stream.close(code);
        assert.equal(await seen, code);
        if (!responds) {
          listener.close();
          clients.splice(0).forEach((each) => each.destroy());
        }
      }
    });

  for (const responds of [false, true])
    it(`by the server ${responds ? 'after' : 'before'} its response is reset at the client with the same code`, async () => {
      const server = await serve((stream) => {
        stream.resume();
        if (!responds) return stream.close(NGHTTP2_ENHANCE_YOUR_CALM);
        // Node ends a stream properly before it resets it, unless trailers are to come.
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.write('some', () => stream.close(NGHTTP2_ENHANCE_YOUR_CALM));
        return undefined;
      });
      const other = await serve(says('second'));
      await open([server.port, other.port]);
      // It was the server's word: no other one is asked, whatever the method.
      assert.equal((await askHttp2(client, { ':method': 'PUT' }, 'x')).code, NGHTTP2_ENHANCE_YOUR_CALM);
      assert.equal(other.requests.length, 0);
    });

  it('because its client is gone is cancelled at the server', async () => {
    const server = await serve(() => {});
    await open([server.port]);
    const other = anotherClient();
    other.request({}).on('error', () => {});
    await until('the server to see it', () => server.requests.length > 0);
    const closed = new Promise<void>((resolve) => {
      server.serve = (stream) => stream.once('close', () => resolve());
    });
    other.request({}).on('error', () => {});
    await until('the server to see it', () => server.requests.length > 1);
    other.destroy();
    await closed;
  });
});

describe('a server that fails', () => {
  it('to take a connection is replaced by the next', async () => {
    const server = await serve(says('second'));
    await open([await deadPort(), server.port]);
    assert.equal((await askHttp2(client, { ':method': 'POST' }, 'x'.repeat(MIB))).body, 'second');
  });

  it('by refusing the stream is replaced by the next, with the body that was sent already', async () => {
    const refuses = await serve((stream) => {
      stream.once('data', () => stream.close(NGHTTP2_REFUSED_STREAM));
    });
    const takes = await serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await open([refuses.port, takes.port]);
    assert.equal((await askHttp2(client, { ':method': 'POST' }, 'the body')).body, 'the body');
    assert.equal(refuses.requests.length, 1);
  });

  it('by refusing the stream after more than is kept of the body leaves the client with the refusal', async () => {
    const refuses = await serve((stream) => {
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes === 100_000) stream.close(NGHTTP2_REFUSED_STREAM);
      });
    });
    const other = await serve(says('second'));
    await open([refuses.port, other.port]);
    const { code } = await askHttp2(client, { ':method': 'POST' }, 'x'.repeat(100_000));
    assert.equal(code, NGHTTP2_REFUSED_STREAM);
    assert.equal(other.requests.length, 0);
  });

  it('before its response is replaced for a request that may be repeated, and not for another', async () => {
    const dies = await serve(() => dies.cut());
    const lives = await serve(says('second'));
    await open([dies.port, lives.port]);
    assert.equal((await askHttp2(client, { ':method': 'GET' })).body, 'second');
    await askHttp2(client);
    const { headers, body } = await askHttp2(client, { ':method': 'POST' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /^orders did not answer: at east, 127\.0\.0\.1:\d+ is gone: .+\.\n$/);
  });

  it('in the midst of its response resets the request', async () => {
    const server = await serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('some', () => server.cut());
    });
    await open([server.port]);
    const { headers, code } = await askHttp2(client);
    assert.deepEqual([headers[':status'], code], [200, NGHTTP2_INTERNAL_ERROR]);
  });

  it('in the midst of a gRPC response ends it with UNAVAILABLE', async () => {
    const server = await serve((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write('some', () => server.cut());
    });
    await open([server.port]);
    const { trailers } = await askHttp2(client, grpc(), 'x');
    assert.equal(trailers?.['grpc-status'], '14');
    assert.match(String(trailers['grpc-message']), /is gone/);
  });

  it('is told in one sentence when there is no other: 503, and UNAVAILABLE for gRPC', async () => {
    const port = await deadPort();
    await open([port]);
    const { headers, body } = await askHttp2(client, { ':method': 'POST' }, 'x'.repeat(MIB));
    assert.deepEqual([headers[':status'], headers['content-type']], [503, 'text/plain; charset=utf-8']);
    assert.equal(body, `orders did not answer: at east, 127.0.0.1:${port} refuses connections.\n`);
    const answer = await askHttp2(client, grpc(), 'x');
    assert.deepEqual([answer.headers[':status'], answer.headers['grpc-status'], answer.body], [200, '14', '']);
    assert.equal(answer.headers['grpc-message'], body.trim());
    assert.equal(answer.headers['content-type'], 'application/grpc');
  });

  it('is told without a body to a HEAD request', async () => {
    await open([await deadPort()]);
    const { headers, body } = await askHttp2(client, { ':method': 'HEAD' });
    assert.deepEqual([headers[':status'], body], [503, '']);
  });

  it('is told when nothing offers the address at all', async () => {
    await open([]);
    assert.equal((await askHttp2(client)).body, 'orders did not answer: no server offers it now.\n');
  });

  it('by saying nothing is passed over after a time, or told: 504, and DEADLINE_EXCEEDED for gRPC', async () => {
    const silent = await serveTcp(() => {});
    const server = await serve(says('second'));
    await open([silent.port, server.port], { settingsWithinMs: 100 });
    assert.equal((await askHttp2(client)).body, 'second');
    way.ports.pop();
    const { headers, body } = await askHttp2(client);
    assert.equal(headers[':status'], 504);
    assert.match(body, /does not answer in HTTP\/2 \(0\.1 s\)/);
    assert.equal((await askHttp2(client, grpc(), 'x')).headers['grpc-status'], '4');
  });
});

describe('a server that goes away in order (GOAWAY)', () => {
  it('finishes what it has begun, and gets new requests on a new connection', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await serve((stream, headers) => {
      if (headers[':path'] === '/held') held = stream;
      else says('new')(stream, headers);
    });
    await open([server.port]);
    const answer = askHttp2(client, { ':path': '/held' });
    await until('the server to see it', () => held);
    server.sessions[0]!.close();
    await until('a new connection', async () => {
      assert.equal((await askHttp2(client)).body, 'new');
      return server.sessions.length === 2;
    });
    says('old')(held!, {});
    assert.equal((await answer).body, 'old');
  });

  it('gets what it did not look at again, whatever it is, on a new connection', async () => {
    const server = await serve(says('again'));
    let connections = 0;
    const front = await serveTcp((socket) => {
      if (++connections > 1) return socket.pipe(dial(server.port)).pipe(socket);
      // The first connection is shut with a last stream number below that of the request.
      const end = new RawEnd(socket, PREFACE_BYTES);
      end.send(frame(Frame.settings, 0, 0));
      socket.on('data', () => {
        if (end.frames.some(({ type }) => type === Frame.headers))
          socket.write(frame(Frame.goaway, 0, 0, Buffer.concat([uint32(0), uint32(NGHTTP2_NO_ERROR)])));
      });
      return undefined;
    });
    await open([front.port]);
    const { body, code } = await askHttp2(client, { ':method': 'POST' }, 'x');
    assert.deepEqual([body, code], ['again', NGHTTP2_NO_ERROR]);
  });
});

describe('connections to a server', () => {
  it('are as many as its own limit of requests needs, up to a number; then requests wait, and not for ever', async () => {
    const held: ServerHttp2Stream[] = [];
    const server = await serve((stream) => held.push(stream), { settings: { maxConcurrentStreams: 2 } });
    await open([server.port], { sessionsPerServer: 2, waitForServerMs: 300, waitingPerServer: 1 });
    const answers = [];
    for (let at = 1; at <= 4; at++) {
      answers.push(askHttp2(client));
      await until('it at the server', () => held.length === at);
    }
    assert.equal(server.sessions.length, 2);
    // One waits until its time is over, one finds no room to wait, one waits and gets a place.
    const late = askHttp2(client);
    const full = await askHttp2(client);
    assert.match(full.body, /is busy: 1 requests wait for it already/);
    assert.match((await late).body, /is busy: it had no room for a further request within 0\.3 s/);
    const patient = askHttp2(client);
    says('done')(held[0]!, {});
    await until('the next at the server', () => held.length === 5);
    held.slice(1).forEach((stream) => says('done')(stream, {}));
    assert.deepEqual(
      (await Promise.all([...answers, patient])).map(({ body }) => body),
      Array.from({ length: 5 }, () => 'done'),
    );
    assert.equal(server.sessions.length, 2);
  });

  it('are not made over and over to a server that has no room at all', async () => {
    const server = await serve(says('never'), { settings: { maxConcurrentStreams: 0 } });
    await open([server.port], { waitForServerMs: 100 });
    assert.match((await askHttp2(client)).body, /is busy: it had no room/);
    assert.equal(server.sessions.length, 1);
  });

  it('are used again when a server makes room', async () => {
    const server = await serve(says('here'), { settings: { maxConcurrentStreams: 0 } });
    await open([server.port]);
    const answer = askHttp2(client);
    await until('the connection', () => server.sessions.length === 1);
    server.sessions[0]!.settings({ maxConcurrentStreams: 10 });
    assert.equal((await answer).body, 'here');
  });

  it('are closed after a time without a request', async () => {
    const server = await serve(says('here'));
    await open([server.port], { serverIdleMs: 50, reviewEveryMs: 20 });
    await askHttp2(client);
    await until('the connection to close', () => server.sockets.size === 0);
    assert.equal((await askHttp2(client)).body, 'here');
  });

  it('are closed when the server is not offered any more', async () => {
    const server = await serve(says('here'));
    await open([server.port], { reviewEveryMs: 20 });
    await askHttp2(client);
    way.ports.length = 0;
    await until('the connection to close', () => server.sockets.size === 0);
  });

  it('are given up when the server does not answer a PING while requests wait for it', async () => {
    const server = await serve((_stream, headers) => {
      if (headers[':path'] === '/freeze') for (const socket of server.sockets) socket.pause();
    });
    const limits = { serverProbeEveryMs: 50, serverProbeWithinMs: 100, reviewEveryMs: 20 };
    // A relay that can stop in between: what a host without power looks like.
    const relay = await serveTcp((socket) => {
      const onward = dial(server.port);
      socket.pipe(onward).pipe(socket);
      void until('the request', () => server.requests.length > 0).then(() => onward.unpipe(socket));
    });
    await open([relay.port], limits);
    const { headers, body } = await askHttp2(client, { ':method': 'POST' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /the server does not answer any more/);
  });

  it('are replaced after many requests on them were taken back, so that a server does not punish everybody', async () => {
    const server = await serve((stream, headers) => {
      if (headers[':path'] === '/here') says('here')(stream, headers);
    });
    await open([server.port], { resetsPerServerSession: 3 });
    for (let at = 1; at <= 3; at++) {
      const stream = client.request({ ':method': 'POST' });
      stream.on('error', () => {});
      await until('the server to see it', () => server.requests.length === at);
      stream.close(NGHTTP2_CANCEL);
    }
    await until('a new connection', async () => {
      assert.equal((await askHttp2(client, { ':path': '/here' })).body, 'here');
      return server.sessions.length === 2;
    });
    await until('the worn one to close', () => server.sockets.size === 1);
  });
});

describe('a client', () => {
  it('that sends nothing for long is told to go, and may come again', async () => {
    const server = await serve(says('here'));
    await open([server.port], { clientIdleMs: 100, reviewEveryMs: 20 });
    assert.equal((await askHttp2(client)).body, 'here');
    const goaway = new Promise<number>((resolve) => {
      client.once('goaway', resolve);
    });
    assert.equal(await goaway, NGHTTP2_NO_ERROR);
    await until('it to be gone', () => way.clients === 0);
    assert.equal((await askHttp2(anotherClient())).body, 'here');
  });

  it('that was told to go and stays is let go, too', async () => {
    await open([], { clientIdleMs: 50, clientProbeWithinMs: 50, reviewEveryMs: 10 });
    client.destroy();
    const stays = await RawEnd.dial(listener.port);
    await until('the listener to have it', () => way.clients === 1);
    await until('it to be gone', () => way.clients === 0);
    assert.equal(await stays.ending(), NGHTTP2_NO_ERROR);
    stays.socket.destroy();
  });

  it('with a request under way is not idle, however long that takes', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await serve((stream) => (held = stream));
    await open([server.port], { clientIdleMs: 50, reviewEveryMs: 10, clientProbeEveryMs: 30 });
    let pings = 0;
    client.on('ping', () => pings++);
    const answer = askHttp2(client);
    // It is asked whether it is there meanwhile, and is.
    await until('some probes', () => pings > 5);
    says('late')(held!, {});
    assert.equal((await answer).body, 'late');
  });

  it('that does not answer a PING is let go', async () => {
    const server = await serve(says('here'));
    await open([server.port], { clientProbeEveryMs: 20, clientProbeWithinMs: 50, reviewEveryMs: 10 });
    const silent = dial(listener.port);
    silent.resume();
    silent.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    await until('it to be let go', () => silent.readableEnded || silent.destroyed);
    silent.destroy();
  });

  it('that never says what it speaks is let go, also after a single byte', async () => {
    await open([], { firstBytesWithinMs: 50 });
    for (const bytes of ['', 'P', 'PR']) {
      const silent = dial(listener.port);
      silent.write(bytes);
      silent.resume();
      await until('it to be let go', () => silent.readableEnded || silent.destroyed);
      silent.destroy();
    }
  });

  it('whose first bytes come one by one is understood', async () => {
    const server = await serve(says('here'));
    await open([server.port]);
    const relay = await serveTcp((socket) => {
      const onward = dial(listener.port);
      onward.setNoDelay(true).pipe(socket);
      socket.on('data', (chunk) => {
        for (const byte of chunk) onward.write(Buffer.of(byte));
      });
      socket.on('close', () => onward.destroy());
    });
    const slow = dialHttp2(relay.port);
    clients.push(slow);
    assert.equal((await askHttp2(slow)).body, 'here');
  });
});

describe('a listener that closes', () => {
  it('lets requests under way finish, takes no further ones, and leaves nothing open', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await serve((stream) => (held = stream));
    await open([server.port]);
    const { port } = listener;
    const silent = dial(port);
    silent.resume();
    const idle = anotherClient();
    await new Promise((resolve) => idle.once('remoteSettings', resolve));
    const answer = askHttp2(client, { ':method': 'POST' }, 'x');
    await until('the server to see it', () => held);
    listener.close();
    await until('the idle client to be gone', () => idle.destroyed);
    await until('the silent one to be gone', () => silent.readableEnded || silent.destroyed);
    silent.destroy();
    const late = dialHttp2(port);
    clients.push(late);
    assert.equal((await askHttp2(late)).headers[':status'], undefined);
    says('last')(held!, {});
    assert.equal((await answer).body, 'last');
    await until('its connections to be closed', () => server.sockets.size === 0 && way.clients === 0);
  });
});
