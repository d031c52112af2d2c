/** What RFC 9113 does not allow, frame by frame, and what it costs: the connection, or one request. */
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import { askHttp2, dialHttp2, H2Server } from './ends.testkit.ts';
import { openHttp2Listener } from './http2-listener.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  Frame,
  frame,
  GET,
  literal,
  POST,
  PREFACE_BYTES,
  RawEnd,
  uint32,
} from './raw-frames.testkit.ts';
import { TestWay } from './way.testkit.ts';

const {
  NGHTTP2_CANCEL,
  NGHTTP2_COMPRESSION_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR,
  NGHTTP2_INTERNAL_ERROR,
  NGHTTP2_NO_ERROR,
  NGHTTP2_PROTOCOL_ERROR,
  NGHTTP2_STREAM_CLOSED,
} = constants;
const PADDED = 0x8;
const PRIORITY = 0x20;

const headers = (fields: Buffer, flags = END_HEADERS | END_STREAM, id = 1): Buffer => frame(Frame.headers, flags, id, fields);
const setting = (id: number, value: number): Buffer =>
  frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, id), uint32(value)]));

describe('a client', () => {
  let server: H2Server;
  let listener: ProtocolListener;
  let client: RawEnd;

  beforeEach(async () => {
    server = await H2Server.start((stream, { ':path': path }) => {
      stream.resume();
      if (path === '/said') {
        stream.respond({ ':status': 200 });
        stream.end('an answer');
      } else if (path !== '/held') stream.respond({ ':status': 200 }, { endStream: true });
    });
    const way = new TestWay([server.port]);
    listener = await openHttp2Listener('127.0.0.1', 0, way);
    client = await RawEnd.dial(listener.port);
  });
  afterEach(async () => {
    client.socket.destroy();
    listener.close();
    await server.stop();
  });

  const open = headers(POST, END_HEADERS);
  const posted = (path: string): Buffer =>
    headers(Buffer.concat([Buffer.of(0x83, 0x86), literal(':path', path), literal(':authority', 'x')]), END_HEADERS);
  const held = posted('/held');

  for (const [what, code, ...frames] of [
    ['that sends a frame of more than 16 KiB', NGHTTP2_FRAME_SIZE_ERROR, frame(Frame.data, 0, 1, Buffer.alloc(16_385))],
    ['that sends data on the connection itself', NGHTTP2_PROTOCOL_ERROR, frame(Frame.data, 0, 0, Buffer.alloc(1))],
    ['that sends data on a stream that nobody opened', NGHTTP2_PROTOCOL_ERROR, frame(Frame.data, 0, 3, Buffer.alloc(1))],
    ['that resets a stream that nobody opened', NGHTTP2_PROTOCOL_ERROR, frame(Frame.reset, 0, 3, uint32(NGHTTP2_CANCEL))],
    ['that opens a stream of the server’s', NGHTTP2_PROTOCOL_ERROR, headers(GET, END_HEADERS, 2)],
    ['that opens a stream on the connection itself', NGHTTP2_PROTOCOL_ERROR, headers(GET, END_HEADERS, 0)],
    ['that says more of a stream it has reset', NGHTTP2_STREAM_CLOSED, held, frame(Frame.reset, 0, 1, uint32(8)), headers(GET)],
    ['with fields that no table has', NGHTTP2_COMPRESSION_ERROR, headers(Buffer.of(0xff, 0x7f))],
    ['with more padding than bytes', NGHTTP2_PROTOCOL_ERROR, open, frame(Frame.data, PADDED, 1, Buffer.of(9, 1, 2))],
    ['with a ping of another size', NGHTTP2_FRAME_SIZE_ERROR, frame(Frame.ping, 0, 0, Buffer.alloc(7))],
    ['with a ping of a stream', NGHTTP2_PROTOCOL_ERROR, frame(Frame.ping, 0, 1, Buffer.alloc(8))],
    ['with settings of a stream', NGHTTP2_PROTOCOL_ERROR, frame(Frame.settings, 0, 1)],
    ['with half a setting', NGHTTP2_FRAME_SIZE_ERROR, frame(Frame.settings, 0, 0, Buffer.alloc(5))],
    ['that takes settings with some of its own', NGHTTP2_FRAME_SIZE_ERROR, frame(Frame.settings, ACK, 0, Buffer.alloc(6))],
    ['that takes pushes by another number than 1', NGHTTP2_PROTOCOL_ERROR, setting(2, 2)],
    [
      'with more settings than there are',
      NGHTTP2_ENHANCE_YOUR_CALM,
      frame(Frame.settings, 0, 0, Buffer.concat(Array.from({ length: 33 }, (_, at) => Buffer.of(0xa, at, 0, 0, 0, 0)))),
    ],
    ['that sets a window too large', NGHTTP2_FLOW_CONTROL_ERROR, setting(4, 2 ** 31)],
    ['that sets frames too small', NGHTTP2_PROTOCOL_ERROR, setting(5, 16_383)],
    ['that pushes', NGHTTP2_PROTOCOL_ERROR, frame(5, 0, 1, Buffer.alloc(4))],
    ['that goes on with fields that it has not begun', NGHTTP2_PROTOCOL_ERROR, frame(Frame.continuation, END_HEADERS, 1)],
    ['that breaks off its fields', NGHTTP2_PROTOCOL_ERROR, headers(GET, END_STREAM), frame(Frame.ping, 0, 0, Buffer.alloc(8))],
    ['that goes on with those of another stream', NGHTTP2_PROTOCOL_ERROR, headers(GET, 0), frame(Frame.continuation, 0, 3)],
    [
      'that opens all streams’ windows too far',
      NGHTTP2_FLOW_CONTROL_ERROR,
      held,
      frame(Frame.windowUpdate, 0, 1, uint32(1)),
      setting(4, 2 ** 31 - 1),
    ],
  ] as const)
    it(`${what} is cut off`, async () => {
      client.send(...frames);
      assert.equal(await client.ending(), code);
    });

  it('that sends more than the window takes gets its request reset', async () => {
    client.send(held);
    const data = frame(Frame.data, 0, 1, Buffer.alloc(16_384));
    for (let at = 0; at < 100; at++) client.send(data);
    const { payload } = await client.receives(({ type, stream }) => type === Frame.reset && stream === 1);
    assert.equal(payload.readUInt32BE(), NGHTTP2_FLOW_CONTROL_ERROR);
  });

  it('that sets its windows often at once has the last of them', async () => {
    const window = (bytes: number): Buffer => Buffer.concat([Buffer.of(0, 4), uint32(bytes)]);
    client.send(frame(Frame.settings, 0, 0, Buffer.concat([2 ** 31 - 1, 0, 7].map(window))), posted('/said'));
    const { payload } = await client.receives(({ type, stream }) => type === Frame.data && stream === 1);
    assert.equal(payload.length, 7);
  });

  const length = literal('content-length', '3');
  for (const [what, ...frames] of [
    ['without a path', headers(Buffer.concat([Buffer.of(0x82, 0x86), literal(':authority', 'x')]))],
    ['without an authority', headers(Buffer.of(0x82, 0x86, 0x84))],
    ['with two paths', headers(Buffer.concat([GET, Buffer.of(0x84)]))],
    ['with a status', headers(Buffer.concat([GET, Buffer.of(0x88)]))],
    ['with a path behind a field', headers(Buffer.concat([Buffer.of(0x82, 0x86), literal('host', 'x'), Buffer.of(0x84)]))],
    ['with a path that is none', headers(Buffer.concat([Buffer.of(0x82, 0x86), literal(':path', 'x'), literal('host', 'x')]))],
    ['with a capital in a name', headers(Buffer.concat([GET, literal('X-a', '')]))],
    ['with a line end in a value', headers(Buffer.concat([GET, literal('a', 'b\r\nc: d')]))],
    ['with a field of HTTP/1', headers(Buffer.concat([GET, literal('connection', 'close')]))],
    ['that is chunked', headers(Buffer.concat([POST, literal('transfer-encoding', 'chunked')]), END_HEADERS)],
    ['that takes more than trailers', headers(Buffer.concat([GET, literal('te', 'gzip')]))],
    ['with a space in its path', headers(Buffer.concat([Buffer.of(0x82, 0x86), literal(':path', '/a b'), literal('host', 'x')]))],
    [
      'with a space in its method',
      headers(Buffer.concat([literal(':method', 'G T'), Buffer.of(0x84, 0x86), literal('host', 'x')])),
    ],
    [
      'with a scheme that is none',
      headers(Buffer.concat([Buffer.of(0x82, 0x84), literal(':scheme', 'a b'), literal('host', 'x')])),
    ],
    ['with a user in its host', headers(Buffer.concat([Buffer.of(0x82, 0x84, 0x86), literal(':authority', 'ada@x')]))],
    ['with two hosts', headers(Buffer.concat([GET, literal('host', 'x'), literal('host', 'y')]))],
    ['with a host that is not its authority', headers(Buffer.concat([GET, literal('host', 'y')]))],
    ['with a port that is not its authority’s', headers(Buffer.concat([GET, literal('host', 'x:443')]))],
    ['with two lengths', headers(Buffer.concat([POST, length, length]), END_HEADERS)],
    ['with a length that is none', headers(Buffer.concat([POST, literal('content-length', '+3')]), END_HEADERS)],
    ['with a length and no body', headers(Buffer.concat([POST, length]))],
    [
      'whose body is shorter',
      headers(Buffer.concat([POST, length]), END_HEADERS),
      frame(Frame.data, END_STREAM, 1, Buffer.alloc(2)),
    ],
    ['whose body is longer', headers(Buffer.concat([POST, length]), END_HEADERS), frame(Frame.data, 0, 1, Buffer.alloc(4))],
    ['with fields in the midst of its body', held, headers(literal('a', 'b'), END_HEADERS)],
    ['with a path in its trailers', held, headers(Buffer.of(0x84))],
    ['whose window is opened by nothing', held, frame(Frame.windowUpdate, 0, 1, uint32(0))],
  ] as const)
    it(`gets a request ${what} refused, and goes on`, async () => {
      client.send(...frames);
      const { payload } = await client.receives(({ type, stream }) => type === Frame.reset && stream === 1);
      assert.equal(payload.readUInt32BE(), NGHTTP2_PROTOCOL_ERROR);
      client.send(headers(GET, END_HEADERS | END_STREAM, 3));
      await client.receives(({ type, stream }) => type === Frame.headers && stream === 3);
    });

  it('may pad its frames, and say priorities and what nobody knows', async () => {
    const priority = Buffer.concat([uint32(0), Buffer.of(16)]);
    client.send(frame(2, 0, 1, priority), frame(0xee, 0xff, 1, Buffer.alloc(3)), frame(0xee, 0, 0));
    client.send(headers(Buffer.concat([Buffer.of(3), priority, POST, Buffer.alloc(3)]), END_HEADERS | PADDED | PRIORITY));
    client.send(frame(Frame.data, PADDED | END_STREAM, 1, Buffer.of(2, 1, 0, 0)));
    await client.receives(({ type, stream }) => type === Frame.headers && stream === 1);
    assert.equal(client.isOver, false);
  });

  it('may open the window of a stream that it has reset', async () => {
    client.send(held, frame(Frame.reset, 0, 1, uint32(NGHTTP2_CANCEL)), frame(Frame.windowUpdate, 0, 1, uint32(1)));
    client.send(headers(GET, END_HEADERS | END_STREAM, 3));
    await client.receives(({ type, stream }) => type === Frame.headers && stream === 3);
    assert.ok(!client.frames.some(({ stream }) => stream === 1));
  });
});

describe('a server', () => {
  const RESPONSE = Buffer.of(0x88);

  /** What a client is answered where the server answers its first request with these frames. */
  async function answerTo(
    ...frames: Buffer[]
  ): Promise<{ status: unknown; body: string; code: number; ending: number | 'closed' | undefined }> {
    let end: RawEnd | undefined;
    const server = await TestServer.start((socket) => {
      end = new RawEnd(socket, PREFACE_BYTES);
      end.send(frame(Frame.settings, 0, 0));
      void end.receives(({ type }) => type === Frame.headers).then(() => end!.send(...frames));
    });
    const way = new TestWay([server.port]);
    const listener = await openHttp2Listener('127.0.0.1', 0, way);
    const client = dialHttp2(listener.port);
    try {
      const { headers: fields, body, code } = await askHttp2(client, { ':method': 'POST' }, 'x');
      return { status: fields[':status'], body, code, ending: end!.isOver ? await end!.ending() : undefined };
    } finally {
      client.destroy();
      listener.close();
      await server.stop();
      await until('every client to be gone', () => way.clients === 0);
    }
  }

  for (const [what, ...frames] of [
    ['without a status', headers(literal('a', 'b'))],
    ['that changes the protocol', headers(literal(':status', '101'))],
    ['of HTTP/1', headers(Buffer.concat([RESPONSE, literal('connection', 'close')]))],
    ['that is shorter than it says', headers(Buffer.concat([RESPONSE, literal('content-length', '3')]))],
    ['whose body comes first', frame(Frame.data, 0, 1, Buffer.alloc(1))],
  ] as const)
    it(`whose response is one ${what} is not believed`, async () => {
      const { status, code } = await answerTo(...frames);
      assert.deepEqual([status, code], [undefined, NGHTTP2_PROTOCOL_ERROR]);
    });

  it('that pushes is cut off, and the request is not sent again', async () => {
    const { status, body } = await answerTo(frame(5, END_HEADERS, 1, Buffer.concat([uint32(2), GET])));
    assert.equal(status, 502);
    assert.match(body, /the server broke the protocol/);
  });

  it('that sends its answer byte by byte is understood', async () => {
    const answer = Buffer.concat([headers(RESPONSE, END_HEADERS), frame(Frame.data, END_STREAM, 1, Buffer.from('slowly'))]);
    const { status, body, code } = await answerTo(...Array.from(answer, (byte) => Buffer.of(byte)));
    assert.deepEqual([status, body, code], [200, 'slowly', NGHTTP2_NO_ERROR]);
  });

  it('whose empty frames do not end is cut off', async () => {
    const { code } = await answerTo(
      headers(RESPONSE, END_HEADERS),
      ...Array.from({ length: 2000 }, () => frame(Frame.data, 0, 1)),
    );
    assert.equal(code, NGHTTP2_INTERNAL_ERROR);
  });
});
