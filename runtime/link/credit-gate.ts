import { Ring } from './ring.ts';
import type { SendQueue } from './send-queue.ts';

/** What may wait on one link of streams that a router passes on, all together. Beyond it their credit is held back. Bytes. */
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Credit that waited is passed on in pieces of this, so that many have some. Bytes. */
const PIECE_BYTES = 64 * 1024;
/** Streams begin with such a part of `MAX_QUEUED_BYTES` together at most; but none with less than `PIECE_BYTES`. */
const BEGINNING = 1 / 4;

/** One direction of a stream, whose credit waits here. */
export interface CreditHolder {
  /** Passes on at most so many bytes of credit. Returns how many it were: 0 where the stream is over. */
  release(most: number): number;
  /** Has nothing more to pass on, or nobody to pass it on to. */
  readonly isDone: boolean;
}

/**
 * Holds back what others may send to a router that passes it on over one link, while too much waits for that link: each stream's credit bounds what
 * that one has waiting, and many streams are many times as much. Credit that is held back comes out as the link sends, as much as it sent.
 */
export class CreditGate {
  readonly #queue: SendQueue;
  readonly #streams: () => number;
  readonly #most: number;
  readonly #waiting = new Ring<CreditHolder>();
  /** All that the link had sent when credit was passed on last. Bytes. */
  #sent = 0;
  #isPassing = false;

  /** `streams`: how many the link has. */
  constructor(queue: SendQueue, streams: () => number, most = MAX_QUEUED_BYTES) {
    this.#queue = queue;
    this.#streams = streams;
    this.#most = most;
  }

  /** Whether credit may be passed on at once. */
  get isOpen(): boolean {
    return this.#waiting.size === 0 && this.#queue.bytes <= this.#most;
  }

  /** How much of a window a stream gets to begin with, as one of those on the link. The rest is for when it has use for it. */
  beginning(window: number): number {
    return Math.min(window, Math.max(PIECE_BYTES, Math.floor((BEGINNING * this.#most) / this.#streams())));
  }

  wait(holder: CreditHolder): void {
    this.#waiting.push(holder);
  }

  /** The link has sent so much since it began. */
  sent(total: number): void {
    const isEmpty = this.#queue.bytes === 0;
    if (this.#waiting.size === 0 || this.#queue.bytes > this.#most) this.#sent = total;
    else if (!this.#isPassing && (isEmpty || total - this.#sent >= PIECE_BYTES)) {
      // Of those to whom it was passed on some may have nothing to send: where nothing waits the others must not wait either.
      this.#pass(isEmpty ? this.#most : total - this.#sent);
      this.#sent = total;
    }
  }

  #pass(most: number): void {
    this.#isPassing = true;
    for (let left = most; left > 0;) {
      const holder = this.#waiting.shift();
      if (!holder) break;
      left -= holder.release(PIECE_BYTES);
      if (!holder.isDone) this.#waiting.push(holder);
    }
    this.#isPassing = false;
  }
}
