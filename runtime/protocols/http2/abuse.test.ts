/** What a hostile client can do to others: nothing. Each attack is in raw frames, and another client asks meanwhile. */
import assert from 'node:assert/strict';
import { type ClientHttp2Session, constants, type ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { spoilt } from '../../../test/support/bad-bytes.ts';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { Random } from '../../../test/simulation/random.ts';
import type { ProtocolListener } from '../listener.ts';
import { askHttp2, dialHttp2, H2Server, says } from './ends.testkit.ts';
import { openHttp2Listener, openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  Frame,
  frame,
  GET,
  literal,
  POST,
  RawEnd,
  type RawFrame,
  uint32,
} from './raw-frames.testkit.ts';
import { TestWay } from './way.testkit.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

let server: H2Server;
let way: TestWay;
let listener: ProtocolListener;
let friend: ClientHttp2Session;
let attacker: RawEnd;

beforeEach(async () => {
  server = await H2Server.start(
    (stream, headers) => {
      if (headers[':path'] === '/friend') says('fine')(stream, headers);
    },
    // What is refused is not refused here.
    { maxHeaderListPairs: 10_000, settings: { maxHeaderListSize: 1_000_000 } },
  );
  way = new TestWay([server.port]);
  listener = await openHttp2Listener('127.0.0.1', 0, way);
  friend = dialHttp2(listener.port);
  attacker = await RawEnd.dial(listener.port);
});
afterEach(async () => {
  // Whatever happened, the friend still has its connection, and the server its own.
  assert.equal((await askHttp2(friend, { ':path': '/friend' })).body, 'fine');
  attacker.socket.destroy();
  friend.destroy();
  listener.close();
  await server.stop();
  await until('every server to be given back', () => way.busy.size === 0);
  await until('every client to be gone', () => way.clients === 0);
});

/** Asks over and over while `attack` goes on. */
async function whileFriendAsks<T>(attack: Promise<T>): Promise<T> {
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) assert.equal((await askHttp2(friend, { ':path': '/friend' })).body, 'fine');
  })();
  try {
    return await attack;
  } finally {
    over.abort();
    await asking;
  }
}

const id = (at: number): number => at * 2 + 1;

describe('a hostile client', () => {
  for (const [what, code] of [
    ['', NGHTTP2_CANCEL],
    [', as if nothing were wrong,', NGHTTP2_NO_ERROR],
  ] as const)
    it(`that takes back requests as fast as it makes them (CVE-2023-44487)${what} is cut off, and costs the server little`, async () => {
      const sent = await whileFriendAsks(
        attacker.flood(
          (at) =>
            Buffer.concat([
              frame(Frame.headers, END_HEADERS | END_STREAM, id(at), GET),
              frame(Frame.reset, 0, id(at), uint32(code)),
            ]),
          100_000,
        ),
      );
      assert.ok(sent < 100_000, 'all of it was taken');
      const seen = server.requests.filter((request) => request[':path'] !== '/friend').length;
      assert.ok(seen <= DEFAULT_LIMITS.resetBurst + 500, `the server saw ${seen} requests`);
    });

  it('that never ends its fields (CONTINUATION flood) is cut off', async () => {
    attacker.send(frame(Frame.headers, END_STREAM, 1, GET));
    const sent = await whileFriendAsks(
      attacker.flood(() => frame(Frame.continuation, 0, 1, literal('x', 'y'.repeat(100))), 100_000),
    );
    assert.ok(sent < 1000, `${sent} frames were taken`);
    assert.notEqual(await attacker.ending(), NGHTTP2_NO_ERROR);
  });

  it('whose fields are more than is allowed gets that request refused, without a word to the server', async () => {
    const many = Buffer.concat([
      GET,
      ...Array.from({ length: DEFAULT_LIMITS.headerFields + 1 }, (_, at) => literal(`x-${at}`, '')),
    ]);
    attacker.send(frame(Frame.headers, END_HEADERS | END_STREAM, 1, many));
    const { payload } = await attacker.receives(({ type }) => type === Frame.reset);
    assert.equal(payload.readUInt32BE(), NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(server.requests.length, 0);
  });

  it('with a bomb for the compression table gets that request refused', async () => {
    // A field of 4,000 bytes goes into the table, and 4,000 references to it follow, of one byte each: 16 MB.
    const name = 'x'.repeat(10);
    const value = 'y'.repeat(4000);
    const length = Buffer.of(0x7f, ...prefixed(value.length - 127));
    const insert = Buffer.concat([Buffer.of(0x40, name.length), Buffer.from(name), length, Buffer.from(value)]);
    const bomb = Buffer.concat([GET, insert, Buffer.alloc(4000, 0xbe)]);
    attacker.send(frame(Frame.headers, END_HEADERS | END_STREAM, 1, bomb));
    const before = process.memoryUsage().rss;
    await attacker.receives(({ type }) => type === Frame.reset || type === Frame.goaway);
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
    assert.equal(server.requests.length, 0);
  });

  it('that pings without end is cut off', async () => {
    attacker.socket.resume();
    const sent = await whileFriendAsks(attacker.flood(() => frame(Frame.ping, 0, 0, Buffer.alloc(8)), 2_000_000));
    assert.ok(sent < 2_000_000, 'all of it was taken');
  });

  it('that pings and does not read the answers is cut off', async () => {
    attacker.socket.pause();
    const sent = await whileFriendAsks(attacker.flood(() => frame(Frame.ping, 0, 0, Buffer.alloc(8)), 2_000_000));
    attacker.socket.resume();
    assert.ok(sent < 2_000_000, 'all of it was taken');
  });

  describe('that is patient, so that no library counts it,', () => {
    /** One at a time, each only after the one before has been dealt with, until the listener has had enough. */
    async function oneByOne(send: (at: number) => void, answer: (at: number) => (frame: RawFrame) => boolean): Promise<number> {
      for (let at = 1; at <= 100; at++) {
        send(at);
        await until('an answer', () => attacker.isOver || attacker.frames.some(answer(at)));
        if (attacker.isOver) return at;
      }
      return Number.POSITIVE_INFINITY;
    }

    beforeEach(async () => {
      attacker.socket.destroy();
      friend.destroy();
      listener.close();
      const limits = { ...DEFAULT_LIMITS, pingsPerSecond: 20, settingsPerSecond: 20, resetBurst: 20, resetsPerSecond: 0 };
      listener = await openHttp2ListenerWithin(limits, '127.0.0.1', 0, way);
      friend = dialHttp2(listener.port);
      attacker = await RawEnd.dial(listener.port);
    });

    it('and pings too often, is cut off', async () => {
      const sent = await oneByOne(
        (at) => attacker.send(frame(Frame.ping, 0, 0, Buffer.concat([uint32(0), uint32(at)]))),
        (at) => (answer) => answer.type === Frame.ping && answer.payload.readUInt32BE(4) === at,
      );
      assert.ok(sent > 10 && sent <= 60, `${sent} were taken`);
      assert.equal(await attacker.ending(), NGHTTP2_ENHANCE_YOUR_CALM);
    });

    it('and changes its settings too often, is cut off', async () => {
      const acks = (): number => attacker.frames.filter(({ type, flags }) => type === Frame.settings && flags === ACK).length;
      const sent = await oneByOne(
        () => attacker.send(frame(Frame.settings, 0, 0)),
        (at) => () => acks() > at,
      );
      assert.ok(sent > 10 && sent <= 60, `${sent} were taken`);
      assert.equal(await attacker.ending(), NGHTTP2_ENHANCE_YOUR_CALM);
    });

    it('and takes back too many requests, is cut off', async () => {
      const seen = (): number => server.requests.length;
      const sent = await oneByOne(
        (at) => {
          if (at > 1) attacker.send(frame(Frame.reset, 0, id(at - 1), uint32(NGHTTP2_CANCEL)));
          attacker.send(frame(Frame.headers, END_HEADERS | END_STREAM, id(at), GET));
        },
        (at) => () => seen() >= at,
      );
      assert.ok(sent > 20 && sent < 30, `${sent} were taken`);
    });
  });

  it('that changes its settings without end is cut off', async () => {
    const sent = await whileFriendAsks(attacker.flood(() => frame(Frame.settings, 0, 0), 100_000));
    assert.ok(sent < 100_000, 'all of it was taken');
    assert.notEqual(await attacker.ending(), NGHTTP2_NO_ERROR);
  });

  it('that sends empty DATA frames without end is cut off', async () => {
    attacker.send(frame(Frame.headers, END_HEADERS, 1, POST));
    const sent = await whileFriendAsks(attacker.flood(() => frame(Frame.data, 0, 1), 100_000));
    assert.ok(sent < 10_000, `${sent} frames were taken`);
  });

  it('that opens its window beyond all measure is cut off', async () => {
    attacker.send(frame(Frame.windowUpdate, 0, 0, uint32(0x7fffffff)), frame(Frame.windowUpdate, 0, 0, uint32(0x7fffffff)));
    assert.notEqual(await attacker.ending(), NGHTTP2_NO_ERROR);
  });

  it('that opens its window by nothing is cut off', async () => {
    attacker.send(frame(Frame.windowUpdate, 0, 0, uint32(0)));
    assert.notEqual(await attacker.ending(), NGHTTP2_NO_ERROR);
  });

  it('that opens its window byte by byte without end does not hold up others', async () => {
    await whileFriendAsks(attacker.flood(() => frame(Frame.windowUpdate, 0, 0, uint32(1)), 100_000));
  });

  it('that makes more requests at a time than it may is cut off', async () => {
    const sent = await whileFriendAsks(
      attacker.flood((at) => frame(Frame.headers, END_HEADERS | END_STREAM, id(at), GET), 100_000),
    );
    assert.ok(sent < 100_000, 'all of it was taken');
    const seen = server.requests.filter((request) => request[':path'] !== '/friend').length;
    assert.ok(seen <= DEFAULT_LIMITS.streamsPerClient, `the server saw ${seen} requests`);
  });

  it('that asks for much and reads nothing holds no more than its windows', async () => {
    const poured: ServerHttp2Stream[] = [];
    server.serve = (stream, headers) => {
      if (headers[':path'] === '/friend') return says('fine')(stream, headers);
      poured.push(stream);
      stream.respond({ ':status': 200 });
      const more = (): void => void (stream.destroyed || stream.write(Buffer.alloc(64 * 1024), more));
      return more();
    };
    // No byte of any response may be sent to it.
    attacker.send(frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)])));
    for (let at = 0; at < DEFAULT_LIMITS.streamsPerClient; at++)
      attacker.send(frame(Frame.headers, END_HEADERS | END_STREAM, id(at), GET));
    await until('all requests at the server', () => poured.length === DEFAULT_LIMITS.streamsPerClient);
    const bytes = (): number =>
      server.sessions.reduce((sum, session) => sum + (session.destroyed ? 0 : session.socket.bytesWritten), 0);
    let last = -1;
    let still = 0;
    await until('the server to stall', () => {
      still = bytes() === last ? still + 1 : 0;
      last = bytes();
      return still > 20;
    });
    assert.ok(
      last < DEFAULT_LIMITS.streamsPerClient * (DEFAULT_LIMITS.serverWindowBytes + 64 * 1024),
      `${last} bytes were taken`,
    );
    assert.equal((await askHttp2(friend, { ':path': '/friend' })).body, 'fine');
  });

  it('that speaks gibberish is cut off', async () => {
    const other = new RawEnd(dial(listener.port));
    other.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense'.repeat(100));
    await other.ending();
    const third = new RawEnd(dial(listener.port));
    third.socket.write('PRI is no method of HTTP\r\n\r\n');
    await third.ending();
  });

  it('that sends anything at all is cut off, or understood', async () => {
    const good = Buffer.concat([
      frame(Frame.headers, END_HEADERS, 1, POST),
      frame(Frame.data, END_STREAM, 1, Buffer.from('body')),
      frame(Frame.headers, END_STREAM, 3, GET.subarray(0, 2)),
      frame(Frame.continuation, END_HEADERS, 3, GET.subarray(2)),
      frame(Frame.windowUpdate, 0, 3, uint32(1000)),
      frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(70_000)])),
      frame(Frame.reset, 0, 3, uint32(NGHTTP2_CANCEL)),
      frame(Frame.ping, 0, 0, Buffer.alloc(8)),
    ]);
    let cut = 0;
    const rounds = 60;
    for (let seed = 1; seed <= rounds; seed++) {
      const other = await RawEnd.dial(listener.port);
      other.socket.end(spoilt(good, new Random(seed)));
      const code = await other.ending();
      if (code !== NGHTTP2_NO_ERROR && code !== 'closed') cut++;
      other.socket.destroy();
    }
    assert.ok(cut > 10 && cut < rounds, `${cut} of ${rounds} were cut off`);
  });
});

/** The rest of an integer that did not fit its prefix (RFC 7541, section 5.1). */
function prefixed(value: number): number[] {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}
