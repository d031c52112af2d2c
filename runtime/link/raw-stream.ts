import type { CreditGate } from './credit-gate.ts';
import { encodeFrame, encodeJsonFrame, encodeNumberFrame, FrameType, HEADER_BYTES, MAX_OPEN_BYTES } from './frames.ts';
import type { Place } from '../routing/types.ts';
import type { Reason } from './reason.ts';
import { Ring } from './ring.ts';
import type { Item, SendQueue, StreamQueue } from './send-queue.ts';

/** What arrives on a stream. A splice through a transit router and the end of a stream are the two that implement it. */
export interface StreamHandler {
  /** The far end accepted; it takes `window` bytes to begin with. */
  opened(window: number, info: unknown): void;
  refused(reason: Reason): void;
  data(payload: Buffer): void;
  /** The far end sends nothing more. */
  ended(): void;
  reset(reason: Reason): void;
  /** The far end takes so many more bytes. */
  credit(bytes: number): void;
  /** The far end has more to send than it may. */
  blocked(): void;
  /** Members of a multicast that the stream reaches no more. */
  lost(members: Place[]): void;
  /** What waited for this stream on the link has been sent, or most of it. */
  drained(): void;
}

/** One end of a stream, as whoever uses it sees it. */
export interface StreamPort {
  /** Set at once by whoever asked for the stream. */
  handler: StreamHandler;
  readonly closed: boolean;
  /** Enough waits: send no more until `drained`. */
  readonly isFull: boolean;
  /** In pieces of how much a writer should send: on a narrow path the small ones of others wait for one. Bytes. */
  readonly pieceBytes: number;
  /** For the credit of those whose bytes go out here; undefined where nothing waits. */
  readonly gate: CreditGate | undefined;
  /** Refused at once, with the handler told, where `info` is more than a neighbour takes. */
  sendOpen(window: number, info: unknown): void;
  sendOpened(window: number, info: unknown): void;
  sendRefused(reason: Reason): void;
  /** At most `MAX_PAYLOAD_BYTES`. */
  sendData(payload: Buffer): void;
  sendEnd(): void;
  sendReset(reason: Reason): void;
  sendCredit(bytes: number): void;
  /** Keeps its place behind the data, so that the far end judges by all that was sent before. */
  sendBlocked(): void;
  sendLost(members: readonly Place[]): void;
}

/** More than this waiting for one stream: its writer should pause until `drained`. Bytes. */
const HIGH_WATER_BYTES = 256 * 1024;

const TOO_LARGE: Reason = {
  code: 'refused',
  message: `where the stream goes, and for whom, takes more than ${MAX_OPEN_BYTES} bytes`,
};

/** The link, as a stream sees it. */
export interface StreamCarrier {
  readonly queue: SendQueue;
  readonly gate: CreditGate;
  readonly pieceBytes: number;
  /** Something was put into the queue. */
  kick(): void;
  forget(stream: RawStream): void;
}

/** A numbered stream on one link: frames out, frames in, no flow control of its own. */
export class RawStream implements StreamPort, StreamQueue {
  readonly id: number;
  readonly pending = new Ring<Item>();
  bytes = 0;
  lane: StreamQueue['lane'] = 'none';
  handler: StreamHandler = noHandler;
  readonly #carrier: StreamCarrier;
  #full = false;
  #sentEnd = false;
  #gotEnd = false;
  closed = false;

  constructor(id: number, carrier: StreamCarrier) {
    this.id = id;
    this.#carrier = carrier;
  }

  sendOpen(window: number, info: unknown): void {
    const frame = encodeWindowed(FrameType.open, this.id, window, info);
    if (this.closed || frame.length <= HEADER_BYTES + MAX_OPEN_BYTES) this.#urgent(frame);
    else this.receivedRefused(TOO_LARGE);
  }

  sendOpened(window: number, info: unknown): void {
    this.#urgent(encodeWindowed(FrameType.opened, this.id, window, info));
  }

  sendRefused(reason: Reason): void {
    this.#urgent(encodeJsonFrame(FrameType.refused, this.id, reason));
    this.#close();
  }

  get pieceBytes(): number {
    return this.#carrier.pieceBytes;
  }

  get gate(): CreditGate {
    return this.#carrier.gate;
  }

  get isFull(): boolean {
    return this.#full && !this.closed;
  }

  sendData(payload: Buffer): void {
    if (this.closed) return;
    this.#carrier.queue.push(this, payload);
    this.#full = this.bytes > HIGH_WATER_BYTES;
    this.#carrier.kick();
  }

  sendEnd(): void {
    if (this.closed || this.#sentEnd) return;
    this.#sentEnd = true;
    this.#carrier.queue.push(this, FrameType.end);
    this.#carrier.kick();
  }

  sendReset(reason: Reason): void {
    this.#urgent(encodeJsonFrame(FrameType.reset, this.id, reason));
    this.#close();
  }

  sendCredit(bytes: number): void {
    this.#urgent(encodeNumberFrame(FrameType.credit, this.id, bytes));
  }

  sendLost(members: readonly Place[]): void {
    this.#urgent(encodeJsonFrame(FrameType.lost, this.id, { members }));
  }

  sendBlocked(): void {
    if (this.closed) return;
    this.#carrier.queue.push(this, FrameType.blocked);
    this.#carrier.kick();
  }

  drained(): void {
    if (this.#full && this.bytes <= HIGH_WATER_BYTES / 2) {
      this.#full = false;
      this.handler.drained();
    }
    if (this.#sentEnd && this.#gotEnd) this.#closeWhenSent();
  }

  receivedEnd(): void {
    if (this.#gotEnd) return;
    this.#gotEnd = true;
    this.handler.ended();
    if (this.#sentEnd) this.#closeWhenSent();
  }

  receivedRefused(reason: Reason): void {
    this.#close();
    this.handler.refused(reason);
  }

  receivedReset(reason: Reason): void {
    this.#close();
    this.handler.reset(reason);
  }

  #urgent(frame: Buffer): void {
    if (this.closed) return;
    this.#carrier.queue.pushUrgent(frame);
    this.#carrier.kick();
  }

  /** Both sides have ended; the number is free again once the last payload has left. */
  #closeWhenSent(): void {
    if (this.pending.size > 0) return;
    this.closed = true;
    this.#carrier.forget(this);
  }

  #close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#carrier.queue.drop(this);
    this.#carrier.forget(this);
  }
}

function encodeWindowed(type: FrameType, id: number, window: number, info: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(info));
  const body = Buffer.allocUnsafe(4 + json.length);
  body.writeUInt32BE(window, 0);
  body.set(json, 4);
  return encodeFrame(type, id, body);
}

export const noHandler: StreamHandler = {
  opened() {},
  refused() {},
  data() {},
  ended() {},
  reset() {},
  credit() {},
  blocked() {},
  lost() {},
  drained() {},
};
