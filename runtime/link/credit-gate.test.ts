import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { NarrowPath } from '../../test/support/narrow-path.ts';
import { until } from '../../test/support/until.ts';
import { PROTOCOL } from '../routing/types.ts';
import { INITIAL_WINDOW_BYTES } from './credit.ts';
import { CreditGate, type CreditHolder } from './credit-gate.ts';
import { linkPair, type LinkPair, type PairOptions } from './link-pair.testkit.ts';
import { LinkStream } from './link-stream.ts';
import { noHandler, type StreamPort } from './raw-stream.ts';
import { Ring } from './ring.ts';
import { SendQueue, type StreamQueue } from './send-queue.ts';
import { beginningOf, spliceTransit } from './transit.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

class Holder implements CreditHolder {
  held: number;
  constructor(held: number) {
    this.held = held;
  }
  get isDone(): boolean {
    return this.held === 0;
  }
  release(most: number): number {
    const bytes = Math.min(most, this.held);
    this.held -= bytes;
    return bytes;
  }
}

/** A gate that is shut at 1 MiB, and something that waits on its link. */
function gateOf(waiting: number) {
  const queue = new SendQueue();
  const stream: StreamQueue = { id: 1, pending: new Ring(), bytes: 0, lane: 'none', drained() {} };
  for (let bytes = 0; bytes < waiting; bytes += 64 * KIB) queue.push(stream, Buffer.alloc(64 * KIB));
  let sent = 0;
  const gate = new CreditGate(queue, () => 100, MIB);
  const send = (bytes: number) => {
    for (let left = bytes; left > 0; left -= 64 * KIB) {
      queue.next();
      sent += 64 * KIB;
      gate.sent(sent);
    }
  };
  return { gate, queue, send };
}

describe('credit for what goes out on one link', () => {
  it('passes until too much waits there, then as much as is sent, to each that waits in turns', () => {
    assert.equal(gateOf(MIB).gate.isOpen, true);
    const { gate, send } = gateOf(2 * MIB);
    assert.equal(gate.isOpen, false);
    const holders = [new Holder(256 * KIB), new Holder(64 * KIB), new Holder(256 * KIB)];
    for (const holder of holders) gate.wait(holder);
    send(MIB - 64 * KIB);
    assert.deepEqual(holders.map(({ held }) => held / KIB), [256, 64, 256]); // prettier-ignore
    send(192 * KIB);
    assert.deepEqual(holders.map(({ held }) => held / KIB), [192, 0, 192]); // prettier-ignore
    send(128 * KIB);
    assert.deepEqual(holders.map(({ held }) => held / KIB), [128, 0, 128]); // prettier-ignore
    assert.equal(gate.isOpen, false, 'others wait behind them');
  });

  it('waits for nothing where nothing waits there', () => {
    const { gate, send, queue } = gateOf(2 * MIB);
    const holders = [new Holder(512 * KIB), new Holder(512 * KIB), new Holder(512 * KIB)];
    for (const holder of holders) gate.wait(holder);
    send(2 * MIB - 64 * KIB);
    assert.ok(holders.every(({ held }) => held > 0));
    send(64 * KIB);
    assert.equal(queue.bytes, 0);
    assert.deepEqual(holders.map(({ held }) => held), [0, 0, 0]); // prettier-ignore
    assert.equal(gate.isOpen, true);
  });

  it('is less at first where there are many, and never too little to begin with', () => {
    assert.equal(new CreditGate(new SendQueue(), () => 1).beginning(INITIAL_WINDOW_BYTES), INITIAL_WINDOW_BYTES);
    assert.equal(new CreditGate(new SendQueue(), () => 100).beginning(INITIAL_WINDOW_BYTES), Math.floor((16 * MIB) / 100));
    assert.equal(new CreditGate(new SendQueue(), () => 10_000).beginning(INITIAL_WINDOW_BYTES), 64 * KIB);
    assert.equal(new CreditGate(new SendQueue(), () => 1).beginning(1000), 1000);
  });
});

/** One end of a stream on the link of a gate, and the credit and marks that were sent on it. */
function portOf(gate: CreditGate): { port: StreamPort; sent: (number | 'blocked')[] } {
  const sent: (number | 'blocked')[] = [];
  const never = () => {};
  const port: StreamPort = {
    handler: noHandler,
    closed: false,
    isFull: false,
    pieceBytes: 64 * KIB,
    gate,
    sendOpen: never,
    sendOpened: never,
    sendRefused: never,
    sendData: never,
    sendEnd: never,
    sendReset: never,
    sendCredit: (bytes) => sent.push(bytes),
    sendBlocked: () => sent.push('blocked'),
    sendLost: never,
  };
  return { port, sent };
}

describe('a transit router', () => {
  it('holds back credit of one direction while the link of that one is full, and of each without the other', () => {
    const [left, right] = [gateOf(2 * MIB), gateOf(2 * MIB)];
    const [from, to] = [portOf(left.gate), portOf(right.gate)];
    spliceTransit(from.port, to.port, MIB);
    to.port.handler.opened(MIB, {});
    for (const { port } of [from, to]) port.handler.credit(100 * KIB);
    assert.deepEqual([from.sent, to.sent], [[], []]);
    right.send(MIB);
    assert.deepEqual([from.sent, to.sent], [[64 * KIB], []], 'what goes out on the right comes from the left');
    left.send(MIB + 64 * KIB);
    assert.deepEqual([from.sent, to.sent], [[64 * KIB], [64 * KIB, 36 * KIB]]);
  });

  it('gives who is held up the rest of a window in growing parts, and tells only then that it is held up', () => {
    const { gate } = gateOf(0);
    const [from, to] = [portOf(gate), portOf(gate)];
    spliceTransit(from.port, to.port, MIB);
    // One of a hundred streams.
    to.port.handler.opened(MIB, {});
    for (let times = 0; times < 6; times++) from.port.handler.blocked();
    assert.deepEqual([from.sent, to.sent], [[64, 128, 256, 512].map((kib) => kib * KIB), ['blocked']]);
  });
});

const LIMIT = MIB;
const STREAMS = 30;
const STREAM_BYTES = 512 * KIB;
/** Bytes a millisecond. */
const [FAST, SLOW] = [1_000_000, 5000];

/** a — transit — b: each link is fast towards the transit router and slow away from it. What waited most there is noted. */
async function transitOf(t: TestContext): Promise<{ near: LinkPair; far: LinkPair; most: { out: number; back: number } }> {
  const pairOf = async (options: PairOptions) => {
    const pair = await linkPair({ protocol: PROTOCOL, maxQueuedBytes: LIMIT, ...options });
    t.after(() => pair.stop());
    return pair;
  };
  const near = await pairOf({ path: (port) => NarrowPath.open(port, FAST, SLOW) });
  const far = await pairOf({ path: (port) => NarrowPath.open(port, SLOW, FAST) });
  const most = { out: 0, back: 0 };
  near.farEvents.onOpen = (raw, window, info) => {
    const onward = far.near.openStream();
    const beginning = beginningOf(window, raw);
    spliceTransit(raw, onward, beginning, window - beginning);
    const [there, back] = [raw.handler, onward.handler];
    raw.handler = {
      ...there,
      data(payload) {
        there.data(payload);
        most.out = Math.max(most.out, far.near.queue.bytes);
      },
    };
    onward.handler = {
      ...back,
      data(payload) {
        back.data(payload);
        most.back = Math.max(most.back, near.far.queue.bytes);
      },
    };
    onward.sendOpen(beginning, info);
  };
  return { near, far, most };
}

describe('a transit router between fast links and slow ones', () => {
  it('keeps little of many streams waiting, in both directions at once, and all of them come to their end', async (t) => {
    const { near, far, most } = await transitOf(t);
    const received: number[] = [];
    const count = (stream: LinkStream, at: number) => {
      received[at] = 0;
      stream.on('data', (chunk: Buffer) => (received[at]! += chunk.length));
      return new Promise((resolve) => {
        stream.once('end', resolve);
      });
    };
    const ends: Promise<unknown>[] = [];
    far.farEvents.onOpen = (raw, window) => {
      const stream = LinkStream.accept(raw, window, {});
      ends.push(count(stream, ends.length));
      stream.end(Buffer.alloc(STREAM_BYTES));
    };
    const streams = await Promise.all(
      Array.from({ length: STREAMS }, () => LinkStream.open(near.near.openStream(), { address: 'server' }, 30_000)),
    );
    for (const stream of streams) {
      ends.push(count(stream, ends.length));
      stream.end(Buffer.alloc(STREAM_BYTES));
    }
    await Promise.all(ends);
    assert.deepEqual(
      received,
      Array.from({ length: 2 * STREAMS }, () => STREAM_BYTES),
    );
    // Each has 64 KiB at once, and is given as much again while the limit has not been reached.
    const bound = LIMIT + 3 * STREAMS * 64 * KIB;
    assert.ok(Math.max(most.out, most.back) < bound, `${most.out} and ${most.back} bytes waited of ${STREAMS * STREAM_BYTES}`);
  });

  it('lets those go on whose credit waited when others are reset', async (t) => {
    const { near, far } = await transitOf(t);
    let whole = 0;
    far.farEvents.onOpen = (raw, window) => {
      const stream = LinkStream.accept(raw, window, {});
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes === STREAM_BYTES) whole++;
      });
    };
    const open = () => LinkStream.open(near.near.openStream(), { address: 'server' }, 30_000);
    const streams = await Promise.all(Array.from({ length: STREAMS }, open));
    for (const stream of streams) stream.write(Buffer.alloc(STREAM_BYTES));
    await until('credit to wait', () => !far.near.gate.isOpen);
    assert.equal(whole, 0);
    for (const stream of streams.splice(0, STREAMS / 2)) stream.destroy(new Error('given up'));
    const last = await open();
    last.write(Buffer.alloc(STREAM_BYTES));
    await Promise.all([...streams, last].map((stream) => new Promise((resolve) => stream.end(resolve))));
    await until('all the others', () => whole === STREAMS / 2 + 1);
    assert.equal(near.nearEvents.reason, undefined);
  });
});
