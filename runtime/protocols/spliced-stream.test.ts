/** A stream over a link that is one with a real connection. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { dial, received, TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { INITIAL_WINDOW_BYTES } from '../link/credit.ts';
import { MAX_PAYLOAD_BYTES } from '../link/frames.ts';
import { allOf, failure, linkPair, type LinkPair } from '../link/link-pair.testkit.ts';
import { LinkStream } from '../link/link-stream.ts';
import { openStream } from '../link/open-stream.ts';
import { noHandler } from '../link/raw-stream.ts';
import { StreamError } from '../link/reason.ts';
import { SplicedStream } from './spliced-stream.ts';

/** A connection on loopback: `near` is what a router has of it, `far` the application at its other end. */
async function connection(t: TestContext): Promise<{ near: Socket; far: Socket }> {
  let accept!: (socket: Socket) => void;
  const accepted = new Promise<Socket>((resolve) => (accept = resolve));
  const server = await TestServer.start((socket) => accept(socket.pause()));
  const far = dial(server.port);
  t.after(() => {
    far.destroy();
    return server.stop();
  });
  return { near: await accepted, far };
}

interface Stage {
  pair: LinkPair;
  /** The stream's opener. */
  client: LinkStream;
  /** The application behind the connection that the stream is one with. */
  server: Socket;
  /** The router's end of that connection. */
  near: Socket;
  spliced: SplicedStream;
  /** How often it was said that the connection is closed. */
  closed: () => number;
}

async function pairOf(t: TestContext): Promise<LinkPair> {
  const pair = await linkPair();
  t.after(() => pair.stop());
  return pair;
}

async function stageOf(t: TestContext): Promise<Stage> {
  const [pair, { near, far: server }] = await Promise.all([pairOf(t), connection(t)]);
  let closed = 0;
  let spliced!: SplicedStream;
  pair.farEvents.onOpen = (raw, window) => {
    raw.sendOpened(INITIAL_WINDOW_BYTES, {});
    spliced = new SplicedStream(raw, window, near, () => closed++);
  };
  const client = await LinkStream.open(pair.near.openStream(), {}, 10_000);
  return { pair, client, server, near, spliced, closed: () => closed };
}

/** Nothing is left: neither stream nor connection, and that was said once. */
async function nothingLeft({ pair, near, closed }: Stage): Promise<void> {
  await until('the stream to be forgotten', () => pair.near.streams + pair.far.streams === 0);
  await until('the connection to be closed', () => near.closed);
  assert.equal(closed(), 1);
}

describe('a stream that is one with a connection', () => {
  for (const size of [0, 1, 4097, MAX_PAYLOAD_BYTES + 1, 3 * INITIAL_WINDOW_BYTES + 1])
    it(`carries ${size} bytes there and back unchanged, and leaves nothing behind`, async (t) => {
      const stage = await stageOf(t);
      const payload = randomBytes(size);
      stage.server.pipe(stage.server);
      stage.client.end(payload);
      assert.ok((await allOf(stage.client)).equals(payload));
      await nothingLeft(stage);
    });

  it('goes on towards the server after the server has ended', async (t) => {
    const stage = await stageOf(t);
    stage.server.end('answer');
    assert.equal((await allOf(stage.client)).toString(), 'answer');
    const question = received(stage.server);
    stage.client.end('question');
    assert.equal((await question).toString(), 'question');
    await nothingLeft(stage);
  });

  it('goes on towards the client after the client has ended', async (t) => {
    const stage = await stageOf(t);
    const question = received(stage.server);
    stage.client.end('question');
    assert.equal((await question).toString(), 'question');
    stage.server.end('answer');
    assert.equal((await allOf(stage.client)).toString(), 'answer');
    await nothingLeft(stage);
  });

  it('is reset when its connection is', async (t) => {
    const stage = await stageOf(t);
    const heard = failure(stage.client);
    stage.server.resetAndDestroy();
    assert.equal((await heard).code, 'reset');
    await nothingLeft(stage);
  });

  it('resets its connection when it is reset', async (t) => {
    const stage = await stageOf(t);
    const heard = once(stage.server, 'error') as Promise<[NodeJS.ErrnoException]>;
    stage.client.destroy(new StreamError({ code: 'refused', message: 'db went away' }));
    assert.equal((await heard)[0].code, 'ECONNRESET');
    await nothingLeft(stage);
  });

  it('resets its connection when the link is lost', async (t) => {
    const stage = await stageOf(t);
    const heard = once(stage.server, 'error') as Promise<[NodeJS.ErrnoException]>;
    stage.pair.near.close({ code: 'closing', message: 'the site ends' });
    assert.equal((await heard)[0].code, 'ECONNRESET');
    await nothingLeft(stage);
  });

  it('tells the far end why it is aborted', async (t) => {
    const stage = await stageOf(t);
    const heard = failure(stage.client);
    const reset = once(stage.server, 'error');
    stage.spliced.abort(new StreamError({ code: 'timeout', message: 'nothing moved' }));
    const { code, message } = await heard;
    assert.deepEqual({ code, message }, { code: 'timeout', message: 'nothing moved' });
    await reset;
    await nothingLeft(stage);
  });

  it('keeps no more than its window for a server that does not read, and goes on when that reads again', async (t) => {
    const stage = await stageOf(t);
    const total = 32 * INITIAL_WINDOW_BYTES;
    const payload = randomBytes(total);
    stage.client.end(payload);
    // The system's buffers take some of it, nobody knows how much: once they are full, what is granted is used up.
    let before = -1;
    const sent = () => stage.pair.near.bytesOut;
    await until('nothing to move any more', () => {
      const stands = sent() === before && stage.client.writableLength > 0;
      before = sent();
      return stands && stage.near.writableLength > 0;
    });
    assert.ok(stage.client.writableLength > total / 4, 'most of it waits where it comes from');
    const got = received(stage.server);
    assert.ok((await got).equals(payload));
    stage.server.end();
    await nothingLeft({ ...stage, client: stage.client.resume() });
  });

  it('pauses a server whose client does not read, and goes on when that reads again', async (t) => {
    const stage = await stageOf(t);
    const payload = randomBytes(32 * INITIAL_WINDOW_BYTES);
    stage.server.end(payload);
    await until('the window to be full', () => stage.client.readableLength >= INITIAL_WINDOW_BYTES);
    await until('the connection to be paused', () => stage.near.isPaused());
    assert.equal(stage.client.readableLength, INITIAL_WINDOW_BYTES);
    stage.client.end();
    stage.server.resume();
    assert.ok((await allOf(stage.client)).equals(payload));
    await nothingLeft(stage);
  });

  it('is cut off when more is sent than its window, at both ends', async (t) => {
    const [pair, { near, far: server }] = await Promise.all([pairOf(t), connection(t)]);
    pair.farEvents.onOpen = (raw, window) => {
      raw.sendOpened(INITIAL_WINDOW_BYTES, {});
      void new SplicedStream(raw, window, near, () => {});
    };
    const reset = once(server, 'error') as Promise<[NodeJS.ErrnoException]>;
    const raw = pair.near.openStream();
    const heard = new Promise<string>((resolve) => {
      raw.handler = {
        ...noHandler,
        opened: (window) => {
          // All in one turn: nothing can be granted in between.
          for (let sent = 0; sent <= window; sent += MAX_PAYLOAD_BYTES) raw.sendData(Buffer.alloc(MAX_PAYLOAD_BYTES));
        },
        reset: ({ code, message }) => resolve(`${code}: ${message}`),
      };
    });
    near.cork();
    raw.sendOpen(INITIAL_WINDOW_BYTES, {});
    assert.equal(await heard, 'protocol: more was sent than the window allows');
    assert.equal((await reset)[0].code, 'ECONNRESET');
  });

  it('is cut off when it is accepted twice', async (t) => {
    const [pair, { near, far }] = await Promise.all([pairOf(t), connection(t)]);
    pair.farEvents.onOpen = (raw) => {
      raw.sendOpened(INITIAL_WINDOW_BYTES, {});
      raw.sendOpened(INITIAL_WINDOW_BYTES, {});
    };
    const reset = once(far, 'error') as Promise<[NodeJS.ErrnoException]>;
    const raw = pair.near.openStream();
    await openStream(raw, {}, 10_000, (window) => new SplicedStream(raw, window, near, () => {}));
    assert.equal((await reset)[0].code, 'ECONNRESET');
    assert.equal(raw.closed, true);
  });
});

describe('a client that waited for its stream', () => {
  /** Opens a stream to a server that says something at once, for this client. */
  async function join(t: TestContext, client: Socket, closed: () => void): Promise<LinkPair> {
    const pair = await pairOf(t);
    pair.farEvents.onOpen = (raw, window) => LinkStream.accept(raw, window, {}).end('220 ready');
    const raw = pair.near.openStream();
    await openStream(raw, {}, 10_000, (window) => new SplicedStream(raw, window, client, closed));
    return pair;
  }

  it('gets what its server said first', async (t) => {
    const { near, far } = await connection(t);
    await join(t, near, () => {});
    assert.equal((await received(far)).toString(), '220 ready');
  });

  it('may have ended by then: its server hears of that', async (t) => {
    const [pair, { near, far }] = await Promise.all([pairOf(t), connection(t)]);
    far.end();
    // Nothing reads it: Node tells the end of a socket that had nothing else to tell.
    await once(near.resume(), 'end');
    const accepted = new Promise<LinkStream>((resolve) => {
      pair.farEvents.onOpen = (raw, window) => resolve(LinkStream.accept(raw, window, {}));
    });
    const raw = pair.near.openStream();
    await openStream(raw, {}, 10_000, (window) => new SplicedStream(raw, window, near, () => {}));
    assert.equal((await allOf(await accepted)).length, 0);
  });

  it('may have gone by then: its server hears of that, and it counts as closed', async (t) => {
    const { near } = await connection(t);
    for (const gone of ['just now', 'a while ago'] as const) {
      near.destroy();
      if (gone === 'a while ago') await until('it to be closed', () => near.closed);
      let closed = 0;
      const pair = await join(t, near, () => closed++);
      await until('the stream to be reset', () => pair.near.streams + pair.far.streams === 0);
      assert.equal(closed, 1, gone);
    }
  });
});

describe('a stream that is being opened', () => {
  it('is reset when its far end sends before it has taken it', async (t) => {
    const pair = await pairOf(t);
    pair.farEvents.onOpen = (raw) => raw.sendData(Buffer.from('too early'));
    const opening = openStream(pair.near.openStream(), {}, 10_000, () => assert.fail('it was not taken'));
    await assert.rejects(opening, { code: 'protocol', message: 'it sends on a stream that it has not taken' });
    await until('the stream to be forgotten', () => pair.near.streams + pair.far.streams === 0);
  });

  it('remembers the members of a multicast that were lost before', async (t) => {
    const pair = await pairOf(t);
    pair.farEvents.onOpen = (raw) => {
      raw.sendLost([{ router: 'gone' }]);
      raw.sendOpened(INITIAL_WINDOW_BYTES, {});
    };
    const stream = await LinkStream.open(pair.near.openStream(), {}, 10_000);
    assert.deepEqual(stream.lostMembers, [{ router: 'gone' }]);
  });
});
