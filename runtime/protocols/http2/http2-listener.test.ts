import assert from 'node:assert/strict';
import { type ServerHttp2Stream, constants } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { answerOf, askHttp2, dialHttp2, type H2Server, responseOf, says } from './ends.testkit.ts';
import { RawEnd } from './raw-frames.testkit.ts';
import { grpcFields, Stage } from './stage.testkit.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;
const MIB = 1024 * 1024;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

describe('a request over HTTP/2', () => {
  it('reaches the server with its fields, and the answer comes back with its own', async () => {
    const server = await stage.serve((stream) => {
      // Node's types do not know that it can leave out the date.
      const withoutDate = { endStream: false, sendDate: false };
      stream.respond({ ':status': 201, 'set-cookie': ['a=1', 'b=2'], 'x-many': ['1', '2'] }, withoutDate);
      stream.end('made');
    });
    await stage.open([server.port]);
    const answer = await askHttp2(stage.client, {
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
    assert.equal(request['via'], '2.0 caravan');
  });

  it('tells the network its path and its fields', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    await askHttp2(stage.client, { ':path': '/a?b=/c', 'X-Tenant': 'blue', baggage: ['a=1', 'b=2'] });
    assert.equal(stage.way.asked[0]?.path, '/a');
    assert.equal(stage.way.asked[0].header('baggage'), 'a=1, b=2');
    assert.equal(stage.way.asked[0].header('x-tenant'), 'blue');
    assert.equal(stage.way.asked[0].header('X-Tenant'), 'blue');
    assert.equal(stage.way.asked[0].header('x-other'), undefined);
  });

  it('does not say twice for which host it is', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    for (const host of ['shop.example', 'Shop.Example', 'shop.example:80']) {
      await askHttp2(stage.client, { ':authority': 'shop.example', host });
      const request = server.requests.at(-1);
      assert.deepEqual([request?.[':authority'], request?.['host']], ['shop.example', undefined]);
    }
  });

  it('appends to what proxies before it have said', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    await askHttp2(stage.client, {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'outer.example',
      forwarded: 'for=192.0.2.1',
      via: '1.1 outer',
    });
    const [request] = server.requests;
    assert.equal(request?.['x-forwarded-for'], '192.0.2.1, 127.0.0.1');
    assert.equal(request['via'], '1.1 outer, 2.0 caravan');
    assert.equal(request['x-forwarded-proto'], 'https');
    assert.equal(request['x-forwarded-host'], 'outer.example');
    assert.match(String(request['forwarded']), /^for=192\.0\.2\.1, for=127\.0\.0\.1;host=.*;proto=http$/);
    assert.equal(request['traceparent'], undefined, 'it is never made');
  });

  it('goes to the server whose turn it is, each on its own, on one client connection and one connection a server', async () => {
    const [blue, green] = [await stage.serve(says('blue')), await stage.serve(says('green'))];
    await stage.open([blue.port, green.port]);
    const bodies = [];
    for (let at = 0; at < 6; at++) bodies.push((await askHttp2(stage.client)).body);
    assert.deepEqual(bodies, ['blue', 'green', 'blue', 'green', 'blue', 'green']);
    assert.deepEqual([...stage.way.connections.values()], [1, 1]);
    assert.equal(stage.way.clients, 1);
  });

  it('shares one connection to a server with other clients', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    await Promise.all(Array.from({ length: 20 }, (_, at) => askHttp2(at % 2 ? stage.client : stage.anotherClient())));
    assert.deepEqual([...stage.way.connections.values()], [1]);
  });

  it('carries trailers both ways', async () => {
    const seen: unknown[] = [];
    const server = await stage.serve((stream) => {
      stream.on('trailers', (trailers) => seen.push(trailers['x-sum']));
      stream.on('data', () => {});
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-sum': '9' }));
        stream.end('body');
      });
    });
    await stage.open([server.port]);
    const stream = stage.client.request({ ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.end('question');
    const answer = await answerOf(stream);
    assert.deepEqual([answer.body, answer.trailers?.['grpc-status'], answer.trailers?.['x-sum']], ['body', '0', '9']);
    assert.deepEqual(seen, ['7']);
  });

  it('may have a body of nothing', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await stage.open([server.port]);
    for (let at = 0; at < 3; at++)
      assert.equal((await askHttp2(stage.client, { ':method': 'POST' }, '')).headers[':status'], 200);
  });

  it('carries trailers of a response to a request without a body', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '9' }));
      stream.end('body');
    });
    await stage.open([server.port]);
    assert.equal((await askHttp2(stage.client)).trailers?.['x-sum'], '9');
  });

  it('carries a response that is nothing but its head, as gRPC has them', async () => {
    const server = await stage.serve((stream) => {
      stream.resume();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true });
    });
    await stage.open([server.port]);
    const stream = stage.client.request(grpcFields());
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
    const server = await stage.serve((stream) => {
      stream.additionalHeaders({ ':status': 100 });
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 });
      stream.end();
    });
    await stage.open([server.port]);
    const { informed, headers } = await askHttp2(stage.client);
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
      const server = await stage.serve((stream) => {
        stream.respond({ ':status': status, 'x-kept': 'yes', ...(method === 'HEAD' && { 'content-length': '1000' }) });
        stream.end();
      });
      await stage.open([server.port]);
      const { headers, body, code } = await askHttp2(stage.client, { ':method': method });
      assert.deepEqual([headers[':status'], headers['x-kept'], body, code], [status, 'yes', '', NGHTTP2_NO_ERROR]);
    });

  it('keeps fields that may not be put into compression tables out of them', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    const { sensitiveHeaders } = await import('node:http2');
    const key = sensitiveHeaders as unknown as string;
    await askHttp2(stage.client, { 'x-secret': 'a', [key]: ['x-secret'] });
    assert.deepEqual(server.requests[0]?.[key], ['x-secret']);
  });

  it('carries fields of many frames (CONTINUATION)', async () => {
    const long = 'v'.repeat(9000);
    const server = await stage.serve((stream, headers) => {
      stream.respond({ ':status': 200, a: headers['a'], b: headers['b'], c: headers['c'] });
      stream.end();
    });
    await stage.open([server.port]);
    const { headers } = await askHttp2(stage.client, { a: long, b: long, c: long });
    assert.deepEqual([headers['a'], headers['b'], headers['c']], [long, long, long]);
  });

  it('carries bodies of many megabytes both ways at once', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await stage.open([server.port]);
    const payload = Buffer.alloc(24 * MIB, 'x');
    const { body } = await askHttp2(stage.client, { ':method': 'POST' }, payload);
    assert.equal(body.length, payload.length);
  });

  it('may be answered before its body has come, and then the client need not send the rest', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too much');
      stream.once('finish', () => stream.close(NGHTTP2_NO_ERROR));
    });
    await stage.open([server.port]);
    const stream = stage.client.request({ ':method': 'POST' });
    stream.write('x'.repeat(1000));
    const { headers, body, code } = await answerOf(stream);
    assert.deepEqual([headers[':status'], body, code], [413, 'too much', NGHTTP2_NO_ERROR]);
  });

  it('goes on sending its body to a server that has finished its response', async () => {
    const got = new Promise<number>((resolve) => {
      void stage
        .serve((stream) => {
          stream.respond({ ':status': 200 });
          stream.end('early');
          let bytes = 0;
          stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
          stream.on('end', () => resolve(bytes));
        })
        .then(({ port }) => stage.open([port]));
    });
    await until('the listener', () => stage.clients.length > 0);
    const stream = stage.client.request({ ':method': 'POST' });
    stream.resume();
    await responseOf(stream);
    await new Promise((resolve) => stream.once('end', resolve));
    stream.end('x'.repeat(MIB));
    assert.equal(await got, MIB);
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
          void stage
            .serve((stream) => {
              stream.once('close', () => resolve(stream.rstCode));
              if (responds) {
                stream.respond({ ':status': 200 });
                stream.write('some');
              }
            })
            .then(({ port }) => stage.open([port]));
        });
        await until('the listener', () => stage.clients.length > 0);
        const server = stage.servers.at(-1) as H2Server;
        const stream = stage.client.request({ ':method': 'POST' });
        stream.on('error', () => {});
        if (responds) await responseOf(stream);
        else await until('the server to see it', () => server.requests.length > 0);
        stream.close(code);
        assert.equal(await seen, code);
        if (!responds) {
          stage.listener.close();
          stage.clients.splice(0).forEach((each) => each.destroy());
        }
      }
    });

  for (const responds of [false, true])
    it(`by the server ${responds ? 'after' : 'before'} its response is reset at the client with the same code`, async () => {
      const server = await stage.serve((stream) => {
        stream.resume();
        if (!responds) return stream.close(NGHTTP2_ENHANCE_YOUR_CALM);
        // Node ends a stream properly before it resets it, unless trailers are to come.
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.write('some', () => stream.close(NGHTTP2_ENHANCE_YOUR_CALM));
        return undefined;
      });
      const other = await stage.serve(says('second'));
      await stage.open([server.port, other.port]);
      // It was the server's word: no other one is asked, whatever the method.
      assert.equal((await askHttp2(stage.client, { ':method': 'PUT' }, 'x')).code, NGHTTP2_ENHANCE_YOUR_CALM);
      assert.equal(other.requests.length, 0);
    });

  it('because its client is gone is cancelled at the server', async () => {
    const server = await stage.serve(() => {});
    await stage.open([server.port]);
    const other = stage.anotherClient();
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

describe('a client', () => {
  it('that sends nothing for long is told to go, and may come again', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port], { clientIdleMs: 100, reviewEveryMs: 20 });
    assert.equal((await askHttp2(stage.client)).body, 'here');
    const goaway = new Promise<number>((resolve) => {
      stage.client.once('goaway', resolve);
    });
    assert.equal(await goaway, NGHTTP2_NO_ERROR);
    await until('it to be gone', () => stage.way.clients === 0);
    assert.equal((await askHttp2(stage.anotherClient())).body, 'here');
  });

  it('that was told to go and stays is let go, too', async () => {
    await stage.open([], { clientIdleMs: 50, clientProbeWithinMs: 50, reviewEveryMs: 10 });
    stage.client.destroy();
    const stays = await RawEnd.dial(stage.listener.port);
    await until('the listener to have it', () => stage.way.clients === 1);
    await until('it to be gone', () => stage.way.clients === 0);
    assert.equal(await stays.ending(), NGHTTP2_NO_ERROR);
    stays.socket.destroy();
  });

  it('with a request under way is not idle, however long that takes', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await stage.serve((stream) => (held = stream));
    await stage.open([server.port], { clientIdleMs: 50, reviewEveryMs: 10, clientProbeEveryMs: 30 });
    let pings = 0;
    stage.client.on('ping', () => pings++);
    const answer = askHttp2(stage.client);
    // It is asked whether it is there meanwhile, and is.
    await until('some probes', () => pings > 5);
    says('late')(held!, {});
    assert.equal((await answer).body, 'late');
  });

  it('that does not answer a PING is let go', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port], { clientProbeEveryMs: 20, clientProbeWithinMs: 50, reviewEveryMs: 10 });
    const silent = dial(stage.listener.port);
    silent.resume();
    silent.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    await until('it to be let go', () => silent.readableEnded || silent.destroyed);
    silent.destroy();
  });

  it('that never says what it speaks is let go, also after a single byte', async () => {
    await stage.open([], { firstBytesWithinMs: 50 });
    for (const bytes of ['', 'P', 'PR']) {
      const silent = dial(stage.listener.port);
      silent.write(bytes);
      silent.resume();
      await until('it to be let go', () => silent.readableEnded || silent.destroyed);
      silent.destroy();
    }
  });

  it('whose first bytes come one by one is understood', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    const relay = await stage.serveTcp((socket) => {
      const onward = dial(stage.listener.port);
      onward.setNoDelay(true).pipe(socket);
      socket.on('data', (chunk) => {
        for (const byte of chunk) onward.write(Buffer.of(byte));
      });
      socket.on('close', () => onward.destroy());
    });
    const slow = dialHttp2(relay.port);
    stage.clients.push(slow);
    assert.equal((await askHttp2(slow)).body, 'here');
  });
});

describe('a listener that closes', () => {
  it('lets requests under way finish, takes no further ones, and leaves nothing open', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await stage.serve((stream) => (held = stream));
    await stage.open([server.port]);
    const { port } = stage.listener;
    const silent = dial(port);
    silent.resume();
    const idle = stage.anotherClient();
    await new Promise((resolve) => idle.once('remoteSettings', resolve));
    const answer = askHttp2(stage.client, { ':method': 'POST' }, 'x');
    await until('the server to see it', () => held);
    stage.listener.close();
    await until('the idle client to be gone', () => idle.destroyed);
    await until('the silent one to be gone', () => silent.readableEnded || silent.destroyed);
    silent.destroy();
    const late = dialHttp2(port);
    stage.clients.push(late);
    assert.equal((await askHttp2(late)).headers[':status'], undefined);
    says('last')(held!, {});
    assert.equal((await answer).body, 'last');
    await until('its connections to be closed', () => server.sockets.size === 0 && stage.way.clients === 0);
  });
});
