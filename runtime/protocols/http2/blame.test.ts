/** Requests that a server finds wrong: whose doing that is, and that nobody else pays for it. */
import assert from 'node:assert/strict';
import { type ClientHttp2Session, constants } from 'node:http2';
import { afterEach, describe, it } from 'node:test';
import { TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import { askHttp2, dialHttp2, H2Server, type Serve, says } from './ends.testkit.ts';
import { openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { END_HEADERS, END_STREAM, Frame, frame, literal, PREFACE_BYTES, RawEnd } from './raw-frames.testkit.ts';
import { TestWay } from './way.testkit.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_PROTOCOL_ERROR } = constants;

let way: TestWay;
let listener: ProtocolListener;
let client: ClientHttp2Session;
const servers: { port: number; stop(): Promise<void> }[] = [];

async function open(limits: Partial<Limits> = {}): Promise<void> {
  way = new TestWay(servers.map(({ port }) => port));
  listener = await openHttp2ListenerWithin({ ...DEFAULT_LIMITS, ...limits }, '127.0.0.1', 0, way);
  client = dialHttp2(listener.port);
}

async function serve(handle: Serve): Promise<H2Server> {
  const server = await H2Server.start(handle);
  servers.push(server);
  return server;
}

afterEach(async () => {
  client.destroy();
  listener.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await until('every server to be given back', () => way.busy.size === 0);
  assert.equal(way.doneTwice, 0);
});

const refusesAs =
  (code: number): Serve =>
  (stream, headers) => {
    stream.resume();
    if (headers[':path'] === '/fine') says('fine')(stream, headers);
    else stream.close(code);
  };

describe('a client whose requests a server calls wrong', () => {
  it('is cut off after a number of them', async () => {
    await serve(refusesAs(NGHTTP2_PROTOCOL_ERROR));
    await open({ resetBurst: 5, resetsPerSecond: 0 });
    const goaway = new Promise<number>((resolve) => client.once('goaway', resolve));
    for (let at = 0; at < 6; at++) await askHttp2(client);
    assert.equal(await goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    const friend = dialHttp2(listener.port);
    assert.equal((await askHttp2(friend, { ':path': '/fine' })).body, 'fine');
    friend.destroy();
  });

  it('has others get a connection of their own to that server', async () => {
    const server = await serve(refusesAs(NGHTTP2_PROTOCOL_ERROR));
    await open({ resetsPerServerSession: 3 });
    for (let at = 0; at < 3; at++) assert.equal((await askHttp2(client)).code, NGHTTP2_PROTOCOL_ERROR);
    assert.equal((await askHttp2(client, { ':path': '/fine' })).body, 'fine');
    assert.equal(server.sessions.length, 2);
  });

  it('is not blamed for a response that is wrong itself', async () => {
    servers.push(
      await TestServer.start((socket) => {
        const end = new RawEnd(socket, PREFACE_BYTES);
        end.send(frame(Frame.settings, 0, 0));
        socket.on('data', () => {
          for (const { type, stream } of end.frames.splice(0))
            if (type === Frame.headers) end.send(frame(Frame.headers, END_HEADERS | END_STREAM, stream, literal('no', 'status')));
        });
      }),
    );
    await open({ resetBurst: 2, resetsPerSecond: 0 });
    for (let at = 0; at < 5; at++) assert.equal((await askHttp2(client)).code, NGHTTP2_PROTOCOL_ERROR);
    assert.equal(client.closed, false);
  });
});

describe('a server that has had enough of a connection (ENHANCE_YOUR_CALM)', () => {
  /** The first connection is the one that it has had enough of. */
  async function open1st(): Promise<H2Server> {
    const server = await serve((stream, headers) => {
      stream.resume();
      if (stream.session === server.sessions[0] && headers[':path'] !== '/fine') stream.close(NGHTTP2_ENHANCE_YOUR_CALM);
      else says('calm')(stream, headers);
    });
    await open();
    return server;
  }

  it('is asked again on another, where the request may be repeated', async () => {
    const server = await open1st();
    assert.equal((await askHttp2(client, { ':method': 'PUT' }, 'x')).body, 'calm');
    assert.equal(server.sessions.length, 2);
    // The first is good enough for others, and the second there for whoever needs it.
    assert.equal((await askHttp2(client, { ':path': '/fine' })).body, 'calm');
    assert.equal((await askHttp2(client)).body, 'calm');
    assert.equal(server.sessions.length, 2);
  });

  it('has its word passed on where it may not be', async () => {
    const server = await open1st();
    assert.equal((await askHttp2(client, { ':method': 'POST' }, 'x')).code, NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(server.sessions.length, 1);
  });
});
