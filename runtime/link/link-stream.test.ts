/** What a stream must keep, over one link, over one in a tunnel, and through a transit router: the same suite for all. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { until } from '../../test/support/until.ts';
import { decodeFrame, decodeNumber, FrameType, MAX_PAYLOAD_BYTES } from './frames.ts';
import { allOf, failure, linkPair, type LinkPair } from './link-pair.testkit.ts';
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES } from './credit.ts';
import { CreditGate } from './credit-gate.ts';
import { LinkStream } from './link-stream.ts';
import { RawStream, type StreamHandler } from './raw-stream.ts';
import { type ReasonCode, StreamError } from './reason.ts';
import { SendQueue } from './send-queue.ts';
import { spliceTransit } from './transit.ts';

/** A way from one router to another. */
interface Way {
  pairs: LinkPair[];
  /** A new stream at its beginning. */
  begin(): RawStream;
  /** What happens with a stream at its end. */
  onOpen(handle: (raw: RawStream, window: number) => void): void;
}

const WAYS = ['over one link', 'over a link in a tunnel', 'through a transit router'] as const;

async function wayOf(t: TestContext, kind: (typeof WAYS)[number]): Promise<Way> {
  const first = await linkPair({ tunnelled: kind === 'over a link in a tunnel' });
  t.after(() => first.stop());
  if (kind !== 'through a transit router')
    return { pairs: [first], begin: () => first.near.openStream(), onOpen: (handle) => (first.farEvents.onOpen = handle) };
  const second = await linkPair();
  t.after(() => second.stop());
  first.farEvents.onOpen = (raw, window, info) => {
    const onward = second.near.openStream();
    spliceTransit(raw, onward, window);
    onward.sendOpen(window, info);
  };
  return {
    pairs: [first, second],
    begin: () => first.near.openStream(),
    onOpen: (handle) => (second.farEvents.onOpen = handle),
  };
}

/** A stream, both ends. */
async function streamOver(way: Way): Promise<{ near: LinkStream; far: LinkStream }> {
  const accepted = new Promise<LinkStream>((resolve) => {
    way.onOpen((raw, window) => resolve(LinkStream.accept(raw, window, {})));
  });
  const near = await LinkStream.open(way.begin(), { address: 'server' }, 10_000);
  return { near, far: await accepted };
}

function noStreamsLeft({ pairs }: Way): Promise<unknown> {
  const count = () => pairs.reduce((sum, { near, far }) => sum + near.streams + far.streams, 0);
  return until('every stream to be forgotten', () => count() === 0, { timeoutMs: 10_000 });
}

for (const kind of WAYS)
  describe(`a stream ${kind}`, () => {
    for (const size of [0, 1, 4096, 4097, MAX_PAYLOAD_BYTES, 3 * INITIAL_WINDOW_BYTES + 1])
      it(`carries ${size} bytes there and back unchanged, and leaves nothing behind`, async (t) => {
        const way = await wayOf(t, kind);
        const { near, far } = await streamOver(way);
        far.pipe(far);
        const payload = randomBytes(size);
        near.end(payload);
        assert.ok((await allOf(near)).equals(payload));
        await noStreamsLeft(way);
      });

    it('goes on in one direction after the other has ended, whichever ends first', async (t) => {
      const way = await wayOf(t, kind);
      for (const first of ['near', 'far'] as const) {
        const { near, far } = await streamOver(way);
        const [ends, goesOn] = first === 'near' ? [near, far] : [far, near];
        ends.end('question');
        assert.equal((await allOf(goesOn)).toString(), 'question');
        const answer = allOf(ends);
        goesOn.write('an ');
        await turn();
        goesOn.end('answer');
        assert.equal((await answer).toString(), 'an answer');
      }
      await noStreamsLeft(way);
    });

    for (const from of ['near', 'far'] as const)
      it(`is reset at both ends when the ${from} one is destroyed`, async (t) => {
        const way = await wayOf(t, kind);
        const { near, far } = await streamOver(way);
        const [dies, hears] = from === 'near' ? [near, far] : [far, near];
        const heard = failure(hears);
        dies.write('not all of it');
        dies.destroy(new StreamError({ code: 'refused', message: 'db went away' }));
        const { code, message } = await heard;
        assert.deepEqual({ code, message }, { code: 'refused', message: 'db went away' });
        await noStreamsLeft(way);
      });

    it('is reset, not ended, when it is destroyed without a word', async (t) => {
      const way = await wayOf(t, kind);
      const { near, far } = await streamOver(way);
      const heard = failure(far);
      near.destroy();
      assert.equal((await heard).code, 'reset');
      assert.equal(far.readableEnded, false);
    });

    it('is refused with the reason of the far end', async (t) => {
      const way = await wayOf(t, kind);
      way.onOpen((raw) => raw.sendRefused({ code: 'unreachable', message: 'orders is not offered here' }));
      await assert.rejects(LinkStream.open(way.begin(), {}, 10_000), {
        name: 'StreamError',
        code: 'unreachable',
        message: 'orders is not offered here',
      });
      await noStreamsLeft(way);
    });

    it('is given up when nobody answers, and the far end hears of it', async (t) => {
      const way = await wayOf(t, kind);
      const heard = new Promise<ReasonCode>((resolve) => {
        way.onOpen((raw) => (raw.handler = handler({ reset: ({ code }) => resolve(code) })));
      });
      await assert.rejects(LinkStream.open(way.begin(), {}, 50), { code: 'timeout' });
      assert.equal(await heard, 'reset');
      await noStreamsLeft(way);
    });

    it('never has more on its way than its window when nobody reads', async (t) => {
      const way = await wayOf(t, kind);
      const { near, far } = await streamOver(way);
      near.write(Buffer.alloc(4 * INITIAL_WINDOW_BYTES));
      await until('the window to be full', () => far.readableLength >= INITIAL_WINDOW_BYTES);
      // What another stream says there and back would have been overtaken by anything that is still on its way.
      const other = await streamOver(way);
      other.far.pipe(other.far);
      other.near.end(Buffer.alloc(200_000));
      await allOf(other.near);
      assert.equal(far.readableLength, INITIAL_WINDOW_BYTES);
      for (const { near: a, far: b } of way.pairs) assert.equal(a.queue.bytes + b.queue.bytes, 0, 'nothing waits in between');
      const rest = allOf(far);
      near.end();
      assert.equal((await rest).length, 4 * INITIAL_WINDOW_BYTES, 'the reader comes back, and so does the rest');
    });

    it('is cut off when its sender sends more than the window, at both ends', async (t) => {
      const way = await wayOf(t, kind);
      const accepted = new Promise<LinkStream>((resolve) => {
        way.onOpen((raw, window) => resolve(LinkStream.accept(raw, window, {})));
      });
      const raw = way.begin();
      const reset = new Promise<string>((resolve) => {
        raw.handler = handler({
          opened: (window) => {
            for (let sent = 0; sent <= window; sent += MAX_PAYLOAD_BYTES) raw.sendData(Buffer.alloc(MAX_PAYLOAD_BYTES));
          },
          reset: ({ code, message }) => resolve(`${code}: ${message}`),
        });
      });
      raw.sendOpen(INITIAL_WINDOW_BYTES, {});
      const heard = await new Promise<StreamError>((resolve) => {
        void accepted.then((far) => far.once('error', (error) => resolve(error as StreamError)));
      });
      assert.equal(heard.code, 'protocol');
      assert.equal(await reset, 'protocol: more was sent than the window allows');
      await noStreamsLeft(way);
    });

    it('is reset at both ends when a link on its way dies', async (t) => {
      const way = await wayOf(t, kind);
      const { near, far } = await streamOver(way);
      const heard = [failure(near), failure(far)];
      way.pairs.at(-1)!.far.close({ code: 'closing', message: 'the site ends' });
      for (const { code, message } of await Promise.all(heard))
        assert.deepEqual({ code, message }, { code: 'link-lost', message: 'the site ends' });
      assert.equal(way.pairs[0]!.near.streams, 0);
    });

    it('cannot be opened over a link that has died', async (t) => {
      const way = await wayOf(t, kind);
      way.pairs[0]!.near.close({ code: 'closing', message: 'over' });
      await assert.rejects(LinkStream.open(way.begin(), {}, 10_000), { code: 'link-lost', message: 'the link was lost' });
    });
  });

describe('the window of a stream', () => {
  /** The accepting end of a stream, with what it sends in a list instead of on a link. */
  function accepted() {
    const queue = new SendQueue();
    const raw = new RawStream(1, {
      queue,
      gate: new CreditGate(queue, () => 1),
      pieceBytes: MAX_PAYLOAD_BYTES,
      kick() {},
      forget() {},
    });
    const stream = LinkStream.accept(raw, INITIAL_WINDOW_BYTES, {});
    /** Bytes granted since the last look. */
    const granted = () => {
      let sum = 0;
      for (let next = queue.next(); next; next = queue.next()) {
        const { type, body } = decodeFrame(next.messages[0]);
        if (type === FrameType.credit) sum += decodeNumber(body);
      }
      return sum;
    };
    return { stream, granted };
  }

  function send(stream: LinkStream, bytes: number): void {
    for (let sent = 0; sent < bytes; sent += MAX_PAYLOAD_BYTES)
      stream.data(Buffer.alloc(Math.min(MAX_PAYLOAD_BYTES, bytes - sent)));
  }

  /** Milliseconds that pass; the clock stands still otherwise. */
  function clock(t: TestContext) {
    let now = 1000;
    t.mock.method(performance, 'now', () => now);
    return (ms: number) => (now += ms);
  }

  it('doubles while the writer is held up, the reader keeps up and it helps, up to the limit', async (t) => {
    const pass = clock(t);
    const { stream, granted } = accepted();
    stream.resume();
    await turn();
    let outstanding = INITIAL_WINDOW_BYTES + granted();
    // A path of 100 ms: a window of twice the size is twice as fast.
    for (const wanted of [2, 4, 8, 16, 16, 16].map((times) => times * 1024 * 1024)) {
      send(stream, outstanding);
      await turn();
      pass(100);
      stream.blocked();
      outstanding = granted();
      assert.equal(outstanding, wanted);
    }
    assert.equal(outstanding, MAX_WINDOW_BYTES);
  });

  it('does not grow where the path is narrow, and more would only wait', async (t) => {
    const pass = clock(t);
    const { stream, granted } = accepted();
    stream.resume();
    await turn();
    let outstanding = INITIAL_WINDOW_BYTES + granted();
    for (let round = 0; round < 5; round++) {
      send(stream, outstanding);
      await turn();
      // 10 MiB/s, however much is on its way.
      pass((outstanding / INITIAL_WINDOW_BYTES) * 100);
      stream.blocked();
      outstanding = granted();
    }
    assert.equal(outstanding, 2 * INITIAL_WINDOW_BYTES, 'one try, which did not help');
  });

  it('stays as it is while the reader is the slow one', async () => {
    const { stream, granted } = accepted();
    send(stream, INITIAL_WINDOW_BYTES);
    await turn();
    stream.blocked();
    assert.equal(granted(), 0);
    assert.equal((stream.read() as Buffer).length, INITIAL_WINDOW_BYTES);
    await turn();
    assert.equal(granted(), INITIAL_WINDOW_BYTES, 'what was read is granted again, no more');
  });

  it('is granted in large steps, so that credit does not cost a frame for each payload', async () => {
    const { stream, granted } = accepted();
    stream.resume();
    await turn();
    granted();
    send(stream, INITIAL_WINDOW_BYTES / 8);
    await turn();
    assert.equal(granted(), 0);
    send(stream, INITIAL_WINDOW_BYTES / 4);
    await turn();
    assert.ok(granted() >= INITIAL_WINDOW_BYTES / 4);
  });
});

/** Ignores everything but what is given. */
function handler(part: Partial<StreamHandler>): StreamHandler {
  const nothing = () => {};
  return {
    opened: nothing,
    refused: nothing,
    data: nothing,
    ended: nothing,
    reset: nothing,
    credit: nothing,
    blocked: nothing,
    lost: nothing,
    drained: nothing,
    ...part,
  };
}
