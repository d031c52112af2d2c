/** Clients, and servers, that do not read: what waits for them is bounded, for each and for all. */
import assert from 'node:assert/strict';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import { answerOf, askHttp2, dialHttp2 } from './ends.testkit.ts';
import { AllHeldBodies, HeldBodies } from './held-bodies.ts';
import { openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { PouringServer } from './pouring-server.testkit.ts';
import { END_HEADERS, END_STREAM, Frame, frame, GET, literal, PREFACE_BYTES, RawEnd, uint32 } from './raw-frames.testkit.ts';
import { TestWay } from './way.testkit.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
const KIB = 1024;
const MIB = 1024 * KIB;

let way: TestWay;
let listener: ProtocolListener;
const ends: { stop(): Promise<void> }[] = [];

async function open(server: { port: number; stop(): Promise<void> }, limits: Partial<Limits> = {}): Promise<void> {
  ends.push(server);
  way = new TestWay([server.port]);
  listener = await openHttp2ListenerWithin({ ...DEFAULT_LIMITS, ...limits }, '127.0.0.1', 0, way);
}

afterEach(async () => {
  listener.close();
  await Promise.all(ends.splice(0).map((end) => end.stop()));
  await until('every server to be given back', () => way.busy.size === 0);
  assert.equal(way.doneTwice, 0);
  await until('every client to be gone', () => way.clients === 0);
});

const request = (id: number): Buffer => frame(Frame.headers, END_HEADERS | END_STREAM, id, GET);
const credit = (id: number, bytes: number): Buffer => frame(Frame.windowUpdate, 0, id, uint32(bytes));
const setting = (id: number, value: number): Buffer =>
  frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, id), uint32(value)]));

/** Resolves once the server has sent what it may. */
async function stalled(server: PouringServer): Promise<number> {
  let still = 0;
  let last = -1;
  return until('the server to stall', () => {
    still = server.sent === last ? still + 1 : 0;
    last = server.sent;
    return still > 10 && last;
  });
}

describe('what a server sends ahead', () => {
  let client: RawEnd;

  /** A client that takes nothing until it says so. */
  async function dial(): Promise<void> {
    client = await RawEnd.dial(listener.port);
    ends.push({ stop: async () => void client.socket.destroy() });
    client.send(setting(4, 0), credit(0, 2 ** 31 - 1 - 65_535));
  }

  /** Asks, and takes some until the window has grown. Resolves to what was taken. Bytes. */
  async function grown(server: PouringServer, id: number): Promise<number> {
    let taken = 0;
    client.send(request(id));
    await until('the window to grow', () => {
      client.send(credit(id, 32 * KIB));
      taken += 32 * KIB;
      return (server.granted.get(id) ?? 0) > taken + DEFAULT_LIMITS.serverWindowBytes;
    });
    return taken;
  }

  it('is a small window to begin with', async () => {
    const server = await PouringServer.start();
    await open(server);
    await dial();
    for (let id = 1; id < 20; id += 2) client.send(request(id));
    await until('the server to pour', () => server.sent > 0);
    assert.equal(await stalled(server), 10 * DEFAULT_LIMITS.serverWindowBytes);
  });

  it('grows over a long way, and no further than its client’s share', async () => {
    // That its settings are confirmed late is all that the listener knows of the way.
    const server = await PouringServer.start({ confirmsAfterMs: 500 });
    await open(server, { windowGrowthBytes: 256 * KIB });
    await dial();
    const taken = (await grown(server, 1)) + (await grown(server, 3));
    // They read on as quickly.
    client.send(credit(1, MIB), credit(3, MIB));
    const ahead = (await stalled(server)) - taken - 2 * MIB;
    assert.ok(ahead > 2 * DEFAULT_LIMITS.serverWindowBytes, `${ahead} bytes are ahead`);
    assert.ok(ahead <= 2 * DEFAULT_LIMITS.serverWindowBytes + 256 * KIB, `${ahead} bytes are ahead`);
  });

  it('begins wider where others before it needed that, and may be given to others when it is over', async () => {
    const server = await PouringServer.start({ confirmsAfterMs: 500 });
    await open(server, { windowGrowthBytes: MIB });
    await dial();
    await grown(server, 1);
    for (let id = 1; id < 20; id += 2) {
      client.send(frame(Frame.reset, 0, id, uint32(NGHTTP2_CANCEL)), request(id + 2));
      // A sixteenth of all, each time.
      await until('its window to open', () => server.granted.get(id + 2) === DEFAULT_LIMITS.serverWindowBytes + MIB / 16);
    }
  });

  it('does not grow where the way is short, or nothing is known of it', async () => {
    const server = await PouringServer.start({ confirmsAfterMs: undefined });
    await open(server);
    await dial();
    client.send(request(1), credit(1, MIB));
    await until('the server to pour', () => server.sent >= MIB);
    assert.equal(await stalled(server), MIB + DEFAULT_LIMITS.serverWindowBytes);
  });
});

describe('where too much waits in all,', { skip: process.platform === 'darwin' && 'loopback has one address' }, () => {
  it('the client with most of it loses some, and no other does', async () => {
    const server = await PouringServer.start({ bytes: 65_536 });
    await open(server, { heldBytes: MIB });
    const from = (localAddress: string): ClientHttp2Session => {
      const session = connect('http://127.0.0.1', {
        createConnection: () => connectTcp({ port: listener.port, host: '127.0.0.1', localAddress }),
        settings: { initialWindowSize: 0 },
      });
      session.on('error', () => {});
      ends.push({ stop: async () => session.destroy() });
      return session;
    };
    const honest = from('127.0.0.2');
    const answer = answerOf(honest.request({}));
    await until('what it asks for', () => server.sent === 65_536);
    const greedy = Array.from({ length: 3 }, () => from('127.0.0.1'));
    const codes = await new Promise<number[]>((resolve) => {
      const lost: number[] = [];
      for (const session of greedy)
        for (let at = 0; at < 8; at++)
          void answerOf(session.request({})).then(({ code }) => {
            lost.push(code);
            if (lost.length === 9) resolve(lost);
          });
    });
    assert.deepEqual(new Set(codes), new Set([NGHTTP2_ENHANCE_YOUR_CALM]));
    honest.settings({ initialWindowSize: MIB });
    assert.equal((await answer).body.length, 65_536);
  });
});

describe('where a server does not read, and too much waits for it in all,', () => {
  it(
    'the client with most of it loses some, and no other does',
    { skip: process.platform === 'darwin' && 'loopback has one address' },
    async () => {
      // It takes what HTTP/2 lets be sent to begin with, on all streams together.
      const server = await TestServer.start((socket) => new RawEnd(socket, PREFACE_BYTES).send(frame(Frame.settings, 0, 0)));
      await open(server, { heldBytes: MIB });
      const upload = (client: ClientHttp2Session) => {
        const stream = client.request({ ':method': 'POST' }, { endStream: false });
        stream.write(Buffer.alloc(256 * KIB));
        return stream;
      };
      const session = (address: string): ClientHttp2Session => {
        const client = dialHttp2(listener.port, address);
        ends.push({ stop: async () => client.destroy() });
        return client;
      };
      const honest = upload(session('127.0.0.2')).on('error', () => {});
      await until('its server', () => way.busy.size === 1);
      const clients = [session('127.0.0.1'), session('127.0.0.1')];
      const { code } = await Promise.race(Array.from({ length: 8 }, (_, at) => answerOf(upload(clients[at % clients.length]!))));
      assert.equal(code, NGHTTP2_ENHANCE_YOUR_CALM);
      assert.equal(honest.closed, false);
    },
  );

  it('what waits of a request counts also once its client has all of the response', () => {
    const all = new AllHeldBodies({ ...DEFAULT_LIMITS, heldBytes: 100 });
    const given: string[] = [];
    const [held, other] = ['first', 'second'].map(
      (each) => new HeldBodies({ client: '192.0.2.1', giveUp: () => void given.push(each) }),
    );
    all.asked(held!, 60);
    all.answered(held!, 30);
    all.endResponse(held!);
    all.asked(other!, 40);
    assert.deepEqual(given, []);
    all.asked(other!, 1);
    assert.deepEqual(given, ['first']);
  });
});

describe('a response of which its client takes nothing', () => {
  it('is given up after a time', async () => {
    const server = await PouringServer.start();
    await open(server, { stalledMs: 50, reviewEveryMs: 10 });
    const client = dialHttp2(listener.port);
    ends.push({ stop: async () => client.destroy() });
    client.settings({ initialWindowSize: 0 });
    assert.equal((await askHttp2(client)).code, NGHTTP2_ENHANCE_YOUR_CALM);
    await until('the server to hear of it', () => server.resets === 1);
  });

  describe('while the clock', () => {
    let all: AllHeldBodies;
    let held: HeldBodies;
    let reason: string | undefined;

    beforeEach(() => {
      reason = undefined;
      all = new AllHeldBodies({ ...DEFAULT_LIMITS, stalledMs: 1000 });
      held = new HeldBodies({ client: '192.0.2.1', giveUp: (why) => (reason = why) });
      all.answered(held, 100);
      all.review(0);
    });

    it('goes on, is kept until its time is over', () => {
      all.review(999);
      assert.equal(reason, undefined);
      all.review(1000);
      assert.equal(reason, 'its client took nothing of it for 1 s');
    });

    it('goes on, is kept where the client takes as little as a byte', () => {
      all.read(held, 1);
      for (const now of [1000, 1999]) all.review(now);
      assert.equal(reason, undefined);
      all.review(2000);
      assert.notEqual(reason, undefined);
    });

    it('goes on, is kept where nothing waits', () => {
      all.read(held, 100);
      all.review(5000);
      assert.equal(reason, undefined);
    });

    it('goes on, is no matter where it is the server that takes nothing of the request', () => {
      all.read(held, 100);
      all.asked(held, 100);
      for (const now of [1000, 5000]) all.review(now);
      assert.equal(reason, undefined);
    });
  });
});

describe('what comes before a response (1xx)', () => {
  it('is left out for a client that does not read, and the response is not', async () => {
    const hint = frame(Frame.headers, END_HEADERS, 1, Buffer.concat([literal(':status', '103'), long('link', 16_000)]));
    const hints = 2000;
    let end: RawEnd | undefined;
    const server = await TestServer.start((socket) => {
      end = new RawEnd(socket, PREFACE_BYTES);
      end.send(frame(Frame.settings, 0, 0));
    });
    await open(server);
    const client = await RawEnd.dial(listener.port);
    ends.push({ stop: async () => void client.socket.destroy() });
    client.send(request(1));
    await until('the request', () => end?.frames.some(({ type }) => type === Frame.headers));
    client.socket.pause();
    await end!.flood(() => hint, hints);
    await new Promise<void>((resolve) =>
      end!.socket.write(frame(Frame.headers, END_HEADERS | END_STREAM, 1, Buffer.of(0x88)), () => resolve()),
    );
    client.socket.resume();
    await client.receives(({ type, flags }) => type === Frame.headers && (flags & END_STREAM) !== 0);
    const passed = client.frames.filter(({ type, stream }) => type === Frame.headers && stream === 1).length;
    assert.ok(passed > 1 && passed < hints / 2, `${passed} were passed on`);
  });
});

/** A field that is not put into the compression table, with a value of so many bytes (RFC 7541, section 6.2.2). */
function long(name: string, bytes: number): Buffer {
  const length = [0x7f];
  let rest = bytes - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(...length, rest), Buffer.alloc(bytes, 'x')]);
}
