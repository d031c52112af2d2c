/** Requests that wait for a place at a server: how they leave the line, and that nobody fills it alone. */
import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, constants, type ServerHttp2Stream } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dial, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import { answerOf, askHttp2, dialHttp2, H2Server, says } from './ends.testkit.ts';
import { openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { END_HEADERS, END_STREAM, Frame, frame, GET, PREFACE_BYTES, RawEnd, uint32 } from './raw-frames.testkit.ts';
import { Waiting, WaitingLine } from './waiting-line.ts';
import { TestWay } from './way.testkit.ts';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

let way: TestWay;
let listener: ProtocolListener;
let client: ClientHttp2Session;

async function open(port: number, limits: Partial<Limits>): Promise<void> {
  way = new TestWay([port]);
  listener = await openHttp2ListenerWithin({ ...DEFAULT_LIMITS, ...limits }, '127.0.0.1', 0, way);
  client = dialHttp2(listener.port);
}

async function close(): Promise<void> {
  client.destroy();
  listener.close();
  await until('every server to be given back', () => way.busy.size === 0);
  assert.equal(way.doneTwice, 0);
  await until('every client to be gone', () => way.clients === 0);
}

describe('a request that waits for a server with one place', () => {
  let server: H2Server;
  let held: ServerHttp2Stream;

  beforeEach(async () => {
    let isFirst = true;
    server = await H2Server.start(
      (stream, headers) => {
        if (!isFirst) return says('done')(stream, headers);
        isFirst = false;
        held = stream;
        return undefined;
      },
      { settings: { maxConcurrentStreams: 1 } },
    );
    await open(server.port, { sessionsPerServer: 1, waitingPerServer: 2, waitForServerMs: 60_000 });
    client.request({}).on('error', () => {});
    await until('the first at the server', () => server.requests.length === 1);
  });
  afterEach(async () => {
    await close();
    await server.stop();
  });

  const letGo = (): void => held.close(NGHTTP2_CANCEL);

  it('leaves its place in the line to another when its client takes it back', async () => {
    for (let at = 0; at < 10; at++)
      client
        .request({})
        .on('error', () => {})
        .close(NGHTTP2_CANCEL);
    const answer = askHttp2(client);
    // What is answered in order has been read in order.
    await new Promise<void>((resolve, reject) => client.ping((error) => (error ? reject(error) : resolve())));
    assert.equal(way.busy.size, 2);
    letGo();
    assert.equal((await answer).body, 'done');
    assert.equal(server.requests.length, 2);
  });

  it('leaves it when its client is gone', async () => {
    const other = dialHttp2(listener.port);
    other.request({}).on('error', () => {});
    await until('it to wait', () => way.busy.size === 2);
    other.destroy();
    await until('its server to be given back', () => way.busy.size === 1);
    letGo();
  });

  it(
    'gives way where its client has filled the line, and another has nothing in it',
    { skip: process.platform === 'darwin' && 'loopback has one address' },
    async () => {
      const [first, second] = [askHttp2(client), askHttp2(client)];
      await until('both to wait', () => way.busy.size === 3);
      const from = { port: listener.port, host: '127.0.0.1', localAddress: '127.0.0.2' };
      const other = connect('http://127.0.0.1', { createConnection: () => connectTcp(from) });
      const answer = answerOf(other.request({}));
      assert.match((await second).body, /is busy: 2 requests wait for it already/);
      letGo();
      assert.deepEqual([(await first).body, (await answer).body], ['done', 'done']);
      other.destroy();
    },
  );
});

describe('the line', () => {
  const nobody = { placed() {}, unplaced() {} };
  const session = {} as never;
  const anybody = (): boolean => true;

  function joins(line: WaitingLine, ...clients: string[]): void {
    for (const each of clients) line.add(new Waiting(each, nobody));
  }

  it('takes client by client, each one in its order', () => {
    const line = new WaitingLine(10);
    joins(line, 'a', 'a', 'a', 'b', 'c', 'b');
    const order = Array.from({ length: 7 }, () => line.takeFor(session, anybody)?.client);
    assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'a', undefined]);
    assert.equal(line.size, 0);
  });

  it('loses the last of the client with the most when it is full, until all have the same', () => {
    const line = new WaitingLine(4);
    joins(line, 'a', 'a', 'a', 'a');
    const [b, c, d] = ['b', 'b', 'b'].map((each) => new Waiting(each, nobody));
    assert.equal(line.add(b!)?.client, 'a');
    assert.equal(line.add(c!)?.client, 'a');
    assert.equal(line.add(d!), d);
    assert.equal(line.size, 4);
    assert.deepEqual(
      line.all.map(({ client: each }) => each),
      ['a', 'a', 'b', 'b'],
    );
  });

  it('skips who may have no place, and keeps its turn', () => {
    const line = new WaitingLine(10);
    joins(line, 'a', 'a', 'b');
    const notA = (each: string): boolean => each !== 'a';
    assert.equal(line.takeFor(session, notA)?.client, 'b');
    assert.equal(line.takeFor(session, notA), undefined);
    assert.equal(line.has(notA, anybody), false);
    assert.equal(line.has(anybody, anybody), true);
    assert.equal(line.takeFor(session, anybody)?.client, 'a');
  });

  it('skips who avoids a session, and not for good', () => {
    const line = new WaitingLine(4);
    const picky = new Waiting('a', nobody, session);
    line.add(picky);
    assert.equal(line.takeFor(session, anybody), undefined);
    joins(line, 'a');
    assert.notEqual(line.takeFor(session, anybody), picky);
    assert.equal(line.takeFor({} as never, anybody), picky);
  });
});

describe('a server that goes away in the same breath as it greets', () => {
  const greeting = frame(Frame.settings, 0, 0);
  const goaway = (code: number): Buffer => frame(Frame.goaway, 0, 0, Buffer.concat([uint32(0), uint32(code)]));

  for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_CANCEL])
    it(`is asked on another connection at once (error code ${code})`, async () => {
      const server = await H2Server.start(says('again'));
      let connections = 0;
      const front = await TestServer.start((socket) => {
        if (++connections > 1) socket.pipe(dial(server.port)).pipe(socket);
        else new RawEnd(socket, PREFACE_BYTES).send(greeting, goaway(code));
      });
      await open(front.port, { waitForServerMs: 60_000 });
      assert.deepEqual(
        (await Promise.all([askHttp2(client), askHttp2(client, { ':method': 'POST' }, 'x')])).map(({ body }) => body),
        ['again', 'again'],
      );
      assert.equal(connections, 2);
      await close();
      await front.stop();
      await server.stop();
    });

  it('is not connected to over and over', async () => {
    const server = await TestServer.start((socket) => new RawEnd(socket, PREFACE_BYTES).send(greeting, goaway(NGHTTP2_NO_ERROR)));
    await open(server.port, { waitForServerMs: 60_000 });
    const answers = await Promise.all([askHttp2(client), askHttp2(client)]);
    for (const { headers, body } of answers) {
      assert.equal(headers[':status'], 503);
      assert.match(body, /ends each connection as soon as it is made/);
    }
    assert.deepEqual([...way.connections.values()], [2]);
    await close();
    await server.stop();
  });
});

it('requests that a server takes none of are all answered, however many wait for it', async () => {
  const most = 4000;
  const ends: RawEnd[] = [];
  const server = await TestServer.start((socket) => void ends.push(new RawEnd(socket, PREFACE_BYTES)));
  await open(server.port, { waitingPerServer: most, streamsPerClient: most, settingsWithinMs: 60_000 });
  const own = await RawEnd.dial(listener.port);
  own.send(...Array.from({ length: most }, (_, at) => frame(Frame.headers, END_HEADERS | END_STREAM, 2 * at + 1, GET)));
  await until('all of them to wait', () => way.asked.length === most);
  // It takes no fields at all (SETTINGS_MAX_HEADER_LIST_SIZE).
  const end = await until('a connection', () => ends[0]);
  end.send(frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, 6), uint32(0)])));
  await until('the answers', () => own.frames.filter(({ type }) => type === Frame.headers).length === most);
  own.socket.destroy();
  await close();
  await server.stop();
});
