import { encodeFrame, FrameType, INLINE_BYTES } from './frames.ts';
import { Ring } from './ring.ts';

/** What one stream waits to send. Stream 0 is the link's own datagrams: whole frames. */
export interface StreamQueue {
  readonly id: number;
  /** What it sends, in order. */
  readonly pending: Ring<Item>;
  bytes: number;
  /** The lane it stands in, while it has something to send. */
  lane: 'none' | 'small' | 'bulk';
  /** Called after something of it was sent. */
  drained(): void;
}

/** A payload, or one of the two marks that must keep their place among payloads. */
export type Item = Buffer | typeof FrameType.end | typeof FrameType.blocked;

/** For whom there is room on the way: for all, for small streams and the turns of bulk among them, or for control frames alone. */
export type Room = 'bulk' | 'small' | 'none';

/** One frame as one or two messages, and the stream that it belongs to, if any. */
export interface NextFrame {
  messages: [Buffer] | [Buffer, Buffer];
  stream?: StreamQueue;
}

/** A stream with no more than this to send passes those with more. Bytes. */
const SMALL_BYTES = 16 * 1024;
/** So many frames of small streams go before one of a bulk stream: small first, and nobody starves. */
const SMALL_PER_BULK = 16;

/**
 * Decides what a link sends next: control frames first, then streams with little to send, then bulk streams in turns of one frame.
 */
export class SendQueue {
  readonly #urgent = new Ring<Buffer>();
  readonly #lanes = { small: new Ring<StreamQueue>(), bulk: new Ring<StreamQueue>() };
  #smallInARow = 0;
  /** Bytes that wait, of all streams together. */
  bytes = 0;
  /** Bytes of control frames that wait. */
  urgentBytes = 0;

  pushUrgent(frame: Buffer): void {
    this.#urgent.push(frame);
    this.urgentBytes += frame.length;
  }

  push(stream: StreamQueue, item: Item): void {
    stream.pending.push(item);
    stream.bytes += sizeOf(item);
    this.bytes += sizeOf(item);
    if (stream.lane === 'none') this.#stand(stream);
  }

  /** Drops what a stream still had to send. Its place in the lane is skipped when its turn comes. */
  drop(stream: StreamQueue): void {
    this.bytes -= stream.bytes;
    stream.bytes = 0;
    stream.pending.clear();
  }

  /** The next frame that there is room for, or undefined when none waits. Call its stream's `drained` once it has been written. */
  next(room: Room = 'bulk'): NextFrame | undefined {
    const urgent = this.nextUrgent();
    if (urgent) return { messages: [urgent] };
    for (let stream = this.#nextStream(room); stream; stream = this.#nextStream(room)) {
      const { lane } = stream;
      stream.lane = 'none';
      const item = stream.pending.shift();
      if (item === undefined) continue;
      stream.bytes -= sizeOf(item);
      this.bytes -= sizeOf(item);
      // What is left of a bulk stream is bulk, too.
      if (stream.pending.size > 0) this.#stand(stream, lane === 'bulk');
      return { messages: encode(stream.id, item), stream };
    }
    return undefined;
  }

  nextUrgent(): Buffer | undefined {
    const frame = this.#urgent.shift();
    if (frame) this.urgentBytes -= frame.length;
    return frame;
  }

  #stand(stream: StreamQueue, isBulk = false): void {
    stream.lane = isBulk || stream.bytes > SMALL_BYTES ? 'bulk' : 'small';
    this.#lanes[stream.lane].push(stream);
  }

  #nextStream(room: Room): StreamQueue | undefined {
    if (room === 'none') return undefined;
    const { small, bulk } = this.#lanes;
    // Also where there is room for small ones only: on a link that they fill there is never any other.
    const isTurnOfBulk = this.#smallInARow >= SMALL_PER_BULK || (room === 'bulk' && small.size === 0);
    if (isTurnOfBulk && bulk.size > 0) {
      this.#smallInARow = 0;
      return bulk.shift();
    }
    if (small.size > 0) this.#smallInARow++;
    return small.shift();
  }
}

function sizeOf(item: Item): number {
  return typeof item === 'number' ? 0 : item.length;
}

function encode(id: number, item: Item): NextFrame['messages'] {
  if (typeof item === 'number') return [encodeFrame(item, id)];
  if (id === 0) return [item];
  if (item.length <= INLINE_BYTES) return [encodeFrame(FrameType.data, id, item)];
  return [encodeFrame(FrameType.dataAhead, id), item];
}
