/** Servers and clients that never come to an end of what they have begun. */
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { answerOf, askHttp2, says } from './ends.testkit.ts';
import { END_HEADERS, END_STREAM, Frame, frame, GET, PREFACE_BYTES, RawEnd, uint32 } from './raw-frames.testkit.ts';
import { grpcFields, Stage } from './stage.testkit.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;
const KIB = 1024;
/** `:status 200` and `:status 204` of HPACK's static table (RFC 7541, appendix A). */
const OK = Buffer.of(0x88);
const NO_CONTENT = Buffer.of(0x89);

let stage: Stage;
let servers: TestServer[];

beforeEach(() => {
  stage = new Stage();
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await stage.end();
});

/** A server of HTTP/2 that says this to each request. */
async function serve(answer: (id: number) => Buffer[], ends: RawEnd[] = []): Promise<number> {
  const server = await TestServer.start((socket: Socket) => {
    const end = new RawEnd(socket, PREFACE_BYTES);
    ends.push(end);
    end.send(frame(Frame.settings, 0, 0));
    let seen = 0;
    socket.on('data', () => {
      for (; seen < end.frames.length; seen++)
        if (end.frames[seen]!.type === Frame.headers) end.send(...answer(end.frames[seen]!.stream));
    });
  });
  servers.push(server);
  return server.port;
}

describe('a server of HTTP/2', () => {
  it('that sends a body where there is none ends the request, though that goes on', async () => {
    const port = await serve((id) => [
      frame(Frame.headers, END_HEADERS, id, NO_CONTENT),
      frame(Frame.data, 0, id, Buffer.from('more')),
    ]);
    await stage.open([port]);
    const stream = stage.client.request({ ':method': 'POST' });
    stream.write('some');
    const { headers, code } = await answerOf(stream);
    assert.equal(headers[':status'], 204);
    assert.equal(code, NGHTTP2_NO_ERROR);
  });

  it('that ends a request without an error in the midst of its response has it reset with one', async () => {
    const port = await serve((id) => [
      frame(Frame.headers, END_HEADERS, id, OK),
      frame(Frame.data, 0, id, Buffer.from('some')),
      frame(Frame.reset, 0, id, uint32(NGHTTP2_NO_ERROR)),
    ]);
    await stage.open([port]);
    const { headers, code } = await askHttp2(stage.client);
    assert.deepEqual([headers[':status'], code], [200, NGHTTP2_INTERNAL_ERROR]);
    const answer = await askHttp2(stage.client, grpcFields(), 'x');
    assert.equal(answer.trailers?.['grpc-status'], '14');
  });

  it('that ends a request without an error before its response is told of', async () => {
    const port = await serve((id) => [frame(Frame.reset, 0, id, uint32(NGHTTP2_NO_ERROR))]);
    await stage.open([port]);
    const { headers, body } = await askHttp2(stage.client, { ':method': 'POST' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /ended the request before its response was whole/);
  });

  it('that never ends what its client has all of loses the request', async () => {
    const ends: RawEnd[] = [];
    const port = await serve((id) => [frame(Frame.headers, END_HEADERS, id, OK)], ends);
    await stage.open([port], { stalledMs: 200 });
    assert.equal((await askHttp2(stage.client, { ':method': 'HEAD' })).headers[':status'], 200);
    assert.equal(stage.way.busy.size, 1);
    await ends[0]!.receives(({ type }) => type === Frame.reset);
    await until('the server to be given back', () => stage.way.busy.size === 0);
  });

  it('whose connections all take no more requests has nobody wait for good', async () => {
    const port = await serve((id) => [frame(Frame.goaway, 0, 0, Buffer.concat([uint32(id), uint32(0)]))]);
    await stage.open([port], { sessionsPerServer: 2, waitForServerMs: 100 });
    for (let at = 1; at <= 2; at++) {
      stage.client.request().on('error', () => {});
      await until('a connection', () => stage.way.connections.get(`127.0.0.1:${port}`) === at && stage.way.busy.size === at);
    }
    const { headers, body } = await askHttp2(stage.client);
    assert.equal(headers[':status'], 503);
    assert.match(body, /is busy: it had no room for a further request within 0\.1 s/);
  });
});

describe('a client that does not go on with its body', () => {
  it('is told so once nothing has come for a time, and its server is free', async () => {
    const server = await stage.serve((stream) => stream.resume());
    await stage.open([server.port], { stalledMs: 100, reviewEveryMs: 20 });
    const stream = stage.client.request({ ':method': 'POST' });
    stream.write('some');
    const { headers, body } = await answerOf(stream);
    assert.equal(headers[':status'], 408);
    assert.equal(body, 'orders did not answer: nothing came of the request’s body for 0.1 s.\n');
    await until('the server to be given back', () => stage.way.busy.size === 0);
  });

  it('is told so while it waits for a place', async () => {
    const server = await stage.serve(() => {}, { settings: { maxConcurrentStreams: 0 } });
    await stage.open([server.port], { stalledMs: 100, reviewEveryMs: 20, waitForServerMs: 60_000 });
    const { headers } = await answerOf(stage.client.request({ ':method': 'POST' }));
    assert.equal(headers[':status'], 408);
  });

  it('loses its request where the answer is whole', async () => {
    const server = await stage.serve(says('enough'));
    await stage.open([server.port], { stalledMs: 100, reviewEveryMs: 20 });
    const { body, code } = await answerOf(stage.client.request({ ':method': 'POST' }));
    assert.deepEqual([body, code], ['enough', NGHTTP2_NO_ERROR]);
    await until('the server to be given back', () => stage.way.busy.size === 0);
  });

  it('is let be while its answer goes on, and where it is one of gRPC', async () => {
    const server = await stage.serve((stream, { ':path': path }) => {
      if (path === '/events') stream.respond({ ':status': 200 });
    });
    await stage.open([server.port], { stalledMs: 100, reviewEveryMs: 20 });
    const patient = [{ ':method': 'POST', ':path': '/events' }, grpcFields()].map((fields) =>
      stage.client.request(fields, { endStream: false }).on('error', () => {}),
    );
    await until('both at the server', () => server.requests.length === 2);
    assert.equal((await answerOf(stage.client.request({ ':method': 'POST' }))).headers[':status'], 408);
    assert.deepEqual(
      patient.map(({ closed }) => closed),
      [false, false],
    );
    assert.equal(stage.way.busy.size, 2);
  });
});

describe('a client that never reads', () => {
  it('what Caravan itself answers loses it', async () => {
    await stage.open([], { stalledMs: 200, reviewEveryMs: 20 });
    const client = await RawEnd.dial(stage.listener.port);
    const none = Buffer.concat([Buffer.of(0, 4), uint32(0)]);
    client.send(frame(Frame.settings, 0, 0, none), frame(Frame.headers, END_HEADERS | END_STREAM, 1, GET));
    const { payload } = await client.receives(({ type }) => type === Frame.reset);
    assert.equal(payload.readUInt32BE(), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    client.socket.destroy();
  });

  it('its answers in HTTP/1.1 is let go, though they are whole', async () => {
    const server = await stage.serve(says('x'.repeat(32 * KIB)));
    await stage.open([server.port], { clientIdleMs: 300, reviewEveryMs: 20 });
    stage.dial('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(1000)).pause();
    await until('both clients', () => stage.way.clients === 2);
    await until('them to be let go', () => stage.way.clients === 0);
  });
});
