/**
 * Clients and servers that do whatever comes to their minds, right and wrong: all of it comes to an end, and nothing is left. What they choose
 * follows from a seed, which a failure names: `play` it alone then. How it comes together is the network's doing, so that it may take a few times.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { abort } from '../splice.ts';
import { openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { ACK, END_HEADERS, END_STREAM, Frame, frame, literal, PREFACE_BYTES, RawEnd, uint32 } from './raw-frames.testkit.ts';
import { TestWay } from './way.testkit.ts';

const SEEDS = 400;
const AT_A_TIME = 20;
/** So small that everything is full before long, and so short that everybody is waited for. */
const LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  firstBytesWithinMs: 100,
  clientIdleMs: 400,
  clientProbeEveryMs: 100,
  clientProbeWithinMs: 100,
  streamsPerClient: 8,
  clientWindowBytes: 17_000,
  resetBurst: 20,
  sessionsPerServer: 2,
  streamsPerServerSession: 3,
  waitingPerServer: 6,
  waitForServerMs: 60,
  settingsWithinMs: 60,
  serverIdleMs: 50,
  serverProbeEveryMs: 150,
  serverProbeWithinMs: 100,
  serverWindowBytes: 5000,
  windowGrowthBytes: 128 * 1024,
  heldBytes: 10_000,
  stalledMs: 250,
  resetsPerServerSession: 4,
  rememberHttp1Ms: 50,
  http1ConnectionsPerServer: 3,
  replayBytes: 500,
  reviewEveryMs: 20,
};
const CODES = [0, 1, 2, 5, 7, 8, 11, 99];
const MAX_WINDOW_BYTES = 2 ** 31 - 1;

/** The same choices each time (mulberry32). */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  is(likely: number): boolean {
    return this.next() < likely;
  }

  below(most: number): number {
    return Math.floor(this.next() * most);
  }

  of<T>(...all: T[]): T {
    return all[this.below(all.length)]!;
  }

  /** For somebody who chooses at times of their own. */
  more(): Choices {
    return new Choices(this.below(2 ** 31));
  }
}

function setting(id: number, value: number): Buffer {
  return frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, id), uint32(value)]));
}

function fields(all: Record<string, string>): Buffer {
  return Buffer.concat(Object.entries(all).map(([name, value]) => literal(name, value)));
}

/** Not so that Node forgets it where its end is under way. */
function reset(socket: Socket): void {
  abort(socket, new Error('there is no more'));
}

/** A frame of any kind on any stream. */
function anyFrame(choices: Choices, id: number): Buffer {
  return frame(choices.below(12), choices.below(256), choices.of(0, id, 2, 1001), Buffer.alloc(choices.below(20)));
}

/** What both ends of HTTP/2 do: confirm settings, answer a PING, and mostly open the windows again. */
function beCivil(end: RawEnd, choices: Choices, { type, flags, stream, payload }: RawEnd['frames'][number]): void {
  const isAck = (flags & ACK) !== 0;
  if (type === Frame.settings && !isAck) end.send(frame(Frame.settings, ACK, 0));
  else if (type === Frame.ping && !isAck) end.send(frame(Frame.ping, ACK, 0, payload));
  else if (type === Frame.data && payload.length > 0 && choices.is(0.95))
    end.send(...[0, stream].map((id) => frame(Frame.windowUpdate, 0, id, uint32(payload.length))));
}

function serveHttp2(socket: Socket, choices: Choices): void {
  const end = new RawEnd(socket, PREFACE_BYTES);
  const answer = (id: number): void => {
    const head = (status: string, flags = 0, more = {}): void =>
      end.send(frame(Frame.headers, END_HEADERS | flags, id, fields({ ':status': status, ...more })));
    const data = (bytes: number, flags = 0): void => end.send(frame(Frame.data, flags, id, Buffer.alloc(bytes)));
    const breakOff = (): void => end.send(frame(Frame.reset, 0, id, uint32(choices.of(...CODES))));
    const again = (): void => void setTimeout(answer, choices.below(5), id);
    choices.of(
      () => (head('200'), data(choices.below(4000), END_STREAM)),
      () => (head('200'), data(choices.below(4000), END_STREAM)),
      () => (head('200'), data(9), end.send(frame(Frame.headers, END_HEADERS | END_STREAM, id, fields({ 'x-sum': '9' })))),
      () => (head('200', 0, { 'content-length': '9' }), data(choices.of(8, 9, 10), END_STREAM)),
      () => head('204', choices.of(0, END_STREAM)),
      () => (head('204'), data(9, choices.of(0, END_STREAM))),
      () => (head('103'), again()),
      () => (head('200'), again()),
      () => (head('200'), data(30_000)),
      () => (head('200', END_STREAM), breakOff()),
      breakOff,
      () => data(9),
      () => end.send(anyFrame(choices, id)),
      () => (end.send(frame(Frame.windowUpdate, 0, id, uint32(choices.of(0, 1, MAX_WINDOW_BYTES)))), again()),
      () => (end.send(setting(choices.of(3, 4, 6), choices.of(0, 2, 300, 9000))), again()),
      () =>
        end.send(
          frame(Frame.goaway, 0, 0, Buffer.concat([uint32(choices.of(0, id, MAX_WINDOW_BYTES)), uint32(choices.of(0, 0, 11))])),
        ),
      () => socket.end(),
      () => reset(socket),
      () => {},
    )();
  };
  if (choices.is(0.05)) socket.destroy();
  else if (choices.is(0.95)) end.send(setting(choices.of(3, 4, 6), choices.of(1, 3, 300, 9000)));
  socket.on('data', () => {
    for (const each of end.frames.splice(0)) {
      beCivil(end, choices, each);
      if (each.type === Frame.headers) setTimeout(answer, choices.below(5), each.stream);
    }
  });
}

function serveHttp1(socket: Socket, choices: Choices): void {
  const ok = 'HTTP/1.1 200 OK\r\n';
  const say = (text: string): void => void (socket.writable && socket.write(text));
  const answer = (): void =>
    choices.of(
      () => say(`${ok}content-length: 4000\r\n\r\n${'x'.repeat(4000)}`),
      () => say(`${ok}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n`),
      () => say(`${ok}connection: close\r\ncontent-length: 0\r\n\r\n`),
      () => (say(`${ok}\r\nto the end`), socket.end()),
      () => (say(`${ok}content-length: 9\r\n\r\nabc`), socket.destroy()),
      () => say(`${ok}content-length: 0\r\n\r\n`.repeat(2)),
      () => say(`${ok}transfer-encoding: chunked\r\n\r\nnone`),
      () => say('HTTP/1.1 204 None\r\n\r\n'),
      () => (say(`HTTP/1.1 ${choices.of(100, 103)} Wait\r\n\r\n`), answer()),
      () => say('HTTP/1.1 101 Other\r\n\r\n'),
      () => say('\0'),
      () => reset(socket),
      () => {},
    )();
  socket.on('data', (chunk) => {
    const said = chunk.toString('latin1');
    if (said.startsWith('PRI')) socket.destroy();
    // Some of it comes in several pieces, and is answered before it is whole, or twice.
    else setTimeout(answer, choices.below(5));
  });
}

async function askHttp2(socket: Socket, choices: Choices): Promise<void> {
  const end = new RawEnd(socket);
  socket.on('data', () => {
    for (const each of end.frames.splice(0)) beCivil(end, choices, each);
  });
  end.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), setting(choices.of(4, 6), choices.of(0, 300, 9000)));
  let last = -1;
  const ask = (flags: number, more = {}): void => {
    const method = choices.of('GET', 'HEAD', 'POST', 'PUT');
    const odd = choices.of<Record<string, string>>(
      {},
      {},
      {},
      { expect: '100-continue' },
      { te: 'trailers' },
      { 'content-type': 'application/grpc' },
      { 'x-large': 'x'.repeat(120) },
    );
    const request = { ':method': method, ':scheme': 'http', ':authority': 'a', ':path': '/', ...odd, ...more };
    end.send(frame(Frame.headers, END_HEADERS | flags, (last += 2), fields(request)));
  };
  const data = (bytes: number, flags = 0): void => end.send(frame(Frame.data, flags, last, Buffer.alloc(bytes)));
  const takeBack = (): void => end.send(frame(Frame.reset, 0, last, uint32(choices.of(...CODES))));
  for (let left = choices.below(30); left > 0 && !end.isOver; left--) {
    choices.of(
      () => ask(END_STREAM),
      () => ask(END_STREAM),
      () => ask(END_STREAM),
      () => (ask(0), data(choices.below(3000), END_STREAM)),
      () => (ask(0), data(9), end.send(frame(Frame.headers, END_HEADERS | END_STREAM, last, fields({ 'x-sum': '9' })))),
      () => (ask(0, { 'content-length': '9' }), data(choices.of(9, 9, 8, 10), END_STREAM)),
      () => (ask(0), data(choices.below(9000))),
      () => (ask(choices.of(0, END_STREAM)), takeBack()),
      () => last > 0 && choices.of(takeBack, () => data(9, END_STREAM))(),
      () => choices.is(0.3) && end.send(anyFrame(choices, Math.max(last, 1))),
      () =>
        choices.is(0.3) &&
        end.send(frame(Frame.windowUpdate, 0, choices.of(0, Math.max(last, 1)), uint32(choices.of(0, 1, MAX_WINDOW_BYTES)))),
      () =>
        choices.is(0.3) &&
        choices.of(
          () => socket.end(),
          () => reset(socket),
          () => socket.pause(),
        )(),
    )();
    if (choices.is(0.5)) await sleep(choices.below(8));
  }
}

async function askHttp1(socket: Socket, choices: Choices): Promise<void> {
  socket.resume();
  for (let left = choices.below(10); left > 0 && socket.writable; left--) {
    const expect = choices.is(0.2) ? 'expect: 100-continue\r\n' : '';
    const head = `${choices.of('GET', 'POST', 'PUT')} / HTTP/1.1\r\nhost: a\r\n${expect}`;
    const text = choices.of(
      'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
      'HEAD / HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      `${head}content-length: 9\r\n\r\n123456789`,
      `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n`,
      `${head}transfer-encoding: chunked\r\n\r\nnone`,
      `${head}content-length: 9\r\n\r\n123`,
      'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n',
    );
    const at = choices.below(text.length);
    socket.write(text.slice(0, at));
    if (choices.is(0.3)) await sleep(choices.below(4));
    if (socket.writable) socket.write(text.slice(at));
    if (choices.is(0.1))
      choices.of(
        () => socket.end(),
        () => reset(socket),
        () => socket.pause(),
      )();
    if (choices.is(0.5)) await sleep(choices.below(8));
  }
}

async function startServer(choices: Choices): Promise<TestServer> {
  const speaks = choices.of('HTTP/1.1', 'HTTP/2', 'either');
  return TestServer.start((socket) => {
    socket.on('end', () => socket.end());
    const speaksHttp2 = speaks === 'HTTP/2' || (speaks === 'either' && choices.is(0.5));
    (speaksHttp2 ? serveHttp2 : serveHttp1)(socket, choices);
  });
}

async function play(seed: number): Promise<void> {
  const choices = new Choices(seed);
  const servers = await Promise.all(choices.of([1], [1, 2]).map(() => startServer(choices.more())));
  const way = new TestWay(servers.map(({ port }) => port));
  const listener = await openHttp2ListenerWithin(LIMITS, '127.0.0.1', 0, way);
  const clients = choices.of([1], [1, 2], [1, 2, 3, 4]).map(() => {
    const client = connect({ port: listener.port, host: '127.0.0.1', localAddress: choices.of('127.0.0.1', '127.0.0.2') });
    return client.on('error', () => {});
  });
  try {
    await Promise.all(clients.map((client) => choices.of(askHttp2, askHttp1)(client, choices.more())));
    await sleep(choices.of(0, 30));
    if (choices.is(0.3)) listener.close();
    for (const client of clients) client.destroy();
    // With them goes all that they asked for, whatever the servers do; and with the listener all that leads to a server.
    await until('the clients to be gone', () => way.clients === 0);
    await until('the servers to be given back', () => way.busy.size === 0);
    listener.close();
    await until('the connections to servers to end', () => servers.every(({ sockets }) => sockets.size === 0));
    assert.equal(way.doneTwice, 0, 'a server was given back twice');
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  } finally {
    listener.close();
    await Promise.all(servers.map((server) => server.stop()));
  }
}

it('whatever clients and servers do, everything ends, and nothing is left', async () => {
  let next = 1;
  const playOn = async (): Promise<void> => {
    while (next <= SEEDS) await play(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, playOn));
});
