import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Flight } from './flight.ts';
import { decodeFrame, encodeFrame, FrameType, INLINE_BYTES, MAX_PAYLOAD_BYTES } from './frames.ts';
import { Ring } from './ring.ts';
import { SendQueue, type StreamQueue } from './send-queue.ts';

function stream(id: number): StreamQueue {
  return { id, pending: new Ring(), bytes: 0, lane: 'none', drained() {} };
}

/** What leaves the queue, as `stream:bytes`, `end` and `blocked` marks, or `control`; at most `count` frames. */
function taken(queue: SendQueue, count = Infinity): string[] {
  const frames: string[] = [];
  for (let next = queue.next(); next; next = frames.length < count ? queue.next() : undefined) {
    const frame = decodeFrame(next.messages[0]);
    if (!next.stream) frames.push('control');
    else if (frame.type === FrameType.data) frames.push(`${frame.stream}:${frame.body.length}`);
    else if (frame.type === FrameType.dataAhead) frames.push(`${frame.stream}:${next.messages[1]!.length}`);
    else frames.push(`${frame.stream}:${frame.type === FrameType.end ? 'end' : 'blocked'}`);
  }
  return frames;
}

describe('what a link sends next', () => {
  it('is a control frame, whatever else waits', () => {
    const queue = new SendQueue();
    queue.push(stream(1), Buffer.alloc(10));
    queue.pushUrgent(encodeFrame(FrameType.ping, 0));
    queue.pushUrgent(encodeFrame(FrameType.pong, 0));
    assert.deepEqual(taken(queue), ['control', 'control', '1:10']);
    queue.pushUrgent(encodeFrame(FrameType.ping, 0));
    assert.deepEqual(taken(queue), ['control']);
    assert.equal(queue.next(), undefined);
  });

  it('keeps the order of one stream, with its marks in their place', () => {
    const queue = new SendQueue();
    const only = stream(7);
    for (const item of [
      Buffer.alloc(1),
      FrameType.blocked,
      Buffer.alloc(INLINE_BYTES),
      Buffer.alloc(INLINE_BYTES + 1),
      FrameType.end,
    ])
      queue.push(only, item);
    assert.equal(queue.bytes, 1 + 2 * INLINE_BYTES + 1);
    assert.deepEqual(taken(queue), ['7:1', '7:blocked', '7:4096', '7:4097', '7:end']);
    assert.equal(queue.bytes, 0);
    assert.equal(only.bytes, 0);
  });

  it('is one message for a small payload; a large one follows its header uncopied', () => {
    const queue = new SendQueue();
    const large = Buffer.alloc(INLINE_BYTES + 1);
    queue.push(stream(1), Buffer.alloc(INLINE_BYTES));
    queue.push(stream(3), large);
    assert.equal(queue.next()!.messages.length, 1);
    assert.equal(queue.next()!.messages[1], large);
  });

  it('is small before bulk', () => {
    const queue = new SendQueue();
    for (let at = 0; at < 4; at++) queue.push(stream(1), Buffer.alloc(MAX_PAYLOAD_BYTES));
    const bulk = stream(3);
    for (let at = 0; at < 2; at++) queue.push(bulk, Buffer.alloc(MAX_PAYLOAD_BYTES));
    queue.push(stream(5), Buffer.alloc(100));
    assert.equal(taken(queue, 1)[0], '5:100');
  });

  it('gives bulk streams equal turns of one frame', () => {
    const queue = new SendQueue();
    const streams = [stream(1), stream(3), stream(5)];
    for (const each of streams) for (let at = 0; at < 3; at++) queue.push(each, Buffer.alloc(MAX_PAYLOAD_BYTES));
    assert.deepEqual(
      taken(queue).map((frame) => frame.split(':')[0]),
      ['1', '3', '5', '1', '3', '5', '1', '3', '5'],
    );
  });

  it('starves nobody: bulk moves on however many small streams there are', () => {
    const queue = new SendQueue();
    const bulk = stream(1);
    for (let at = 0; at < 10; at++) queue.push(bulk, Buffer.alloc(MAX_PAYLOAD_BYTES));
    const small = Array.from({ length: 20 }, (_, at) => stream(3 + 2 * at));
    const frames: string[] = [];
    for (let at = 0; at < 170; at++) {
      // Every small stream has something to say again as soon as it has spoken.
      for (const each of small) if (each.pending.size === 0) queue.push(each, Buffer.alloc(50));
      frames.push(...taken(queue, 1));
    }
    const turns = frames.flatMap((frame, at) => (frame.startsWith('1:') ? [at] : []));
    assert.equal(turns.length, 10);
    for (const [at, turn] of turns.slice(1).entries()) assert.equal(turn - turns[at]!, 17);
    const counts = small.map(({ id }) => frames.filter((frame) => frame === `${id}:50`).length);
    assert.equal(Math.max(...counts) - Math.min(...counts), 0, `small streams take equal turns: ${counts.join()}`);
  });

  it('is now and then bulk also on a link that small streams fill', () => {
    const queue = new SendQueue();
    const flight = new Flight();
    const bulk = stream(1);
    const small = Array.from({ length: 100 }, (_, at) => stream(3 + 2 * at));
    // 100 Mbit/s over 10 ms. Everybody has always something to send.
    const onTheWay: { at: number; total: number }[] = [];
    const turns = { bulk: 0, small: 0 };
    let [sent, freeAt] = [0, 0];
    for (let now = 0; now < 2000; now++) {
      while (onTheWay.length > 0 && onTheWay[0]!.at <= now) flight.received(onTheWay.shift()!.total, now);
      flight.look(now);
      for (;;) {
        while (bulk.bytes < 4 * MAX_PAYLOAD_BYTES) queue.push(bulk, Buffer.alloc(8192));
        for (const each of small) if (each.pending.size === 0) queue.push(each, Buffer.alloc(1000));
        const next = queue.next(flight.room);
        if (!next) break;
        const bytes = next.messages.reduce((sum, { length }) => sum + length, 0);
        sent += bytes;
        flight.sent(bytes, now);
        freeAt = Math.max(freeAt, now) + bytes / 12_500;
        onTheWay.push({ at: freeAt + 10, total: sent });
        turns[next.stream === bulk ? 'bulk' : 'small']++;
      }
    }
    assert.ok(turns.bulk >= turns.small / 17, JSON.stringify(turns));
    assert.ok(turns.bulk <= turns.small / 15, JSON.stringify(turns));
  });

  it('is what there is room for', () => {
    const queue = new SendQueue();
    const [bulk, small] = [stream(1), stream(3)];
    queue.push(bulk, Buffer.alloc(MAX_PAYLOAD_BYTES));
    queue.push(small, Buffer.alloc(100));
    queue.pushUrgent(Buffer.from('urgent'));
    assert.equal(String(queue.next('none')!.messages[0]), 'urgent');
    assert.equal(queue.next('none'), undefined);
    assert.equal(queue.next('small')!.stream, small);
    assert.equal(queue.next('small'), undefined);
    assert.equal(queue.next('bulk')!.stream, bulk);
  });

  it('is bulk to the end of it', () => {
    const queue = new SendQueue();
    const bulk = stream(1);
    for (let left = 3; left > 0; left--) queue.push(bulk, Buffer.alloc(10_000));
    assert.equal(queue.next('small')!.stream, bulk, 'it stood there with the first piece');
    for (let left = 2; left > 0; left--) {
      assert.equal(queue.next('small'), undefined, `${left} pieces are left`);
      assert.equal(queue.next('bulk')!.stream, bulk);
    }
    queue.push(bulk, Buffer.alloc(10_000));
    assert.equal(queue.next('small')!.stream, bulk, 'and then it begins anew');
  });

  it('is nothing of a stream that was dropped, and its bytes do not count', () => {
    const queue = new SendQueue();
    const [gone, stays] = [stream(1), stream(3)];
    for (let at = 0; at < 3; at++) queue.push(gone, Buffer.alloc(MAX_PAYLOAD_BYTES));
    queue.push(stays, Buffer.alloc(5));
    queue.drop(gone);
    assert.equal(queue.bytes, 5);
    assert.deepEqual(taken(queue), ['3:5']);
    assert.equal(queue.bytes, 0);
  });

  it('does not slow down with its length', () => {
    const queue = new SendQueue();
    const streams = Array.from({ length: 50_000 }, (_, at) => stream(at + 1));
    for (const each of streams) queue.push(each, Buffer.alloc(1));
    const order = taken(queue).map((frame) => Number(frame.split(':')[0]));
    assert.deepEqual(
      order,
      streams.map(({ id }) => id),
    );
  });
});
