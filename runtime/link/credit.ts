import type { StreamPort } from './raw-stream.ts';

/** What a new stream may have on its way. Grows while its reader is faster than its window. Bytes. */
export const INITIAL_WINDOW_BYTES = 1024 * 1024;
/** What one stream may have on its way at most, in one direction: the bound on what it can occupy anywhere. Bytes. */
export const MAX_WINDOW_BYTES = 16 * 1024 * 1024;

/** A larger window must have made the stream faster by this factor to be enlarged again. */
const WORTHWHILE_GAIN = 1.2;

/** What the far end of a stream may send to this one: it is granted what has been taken here. */
export class ReceiveWindow {
  readonly #raw: StreamPort;
  #bytes = INITIAL_WINDOW_BYTES;
  /** Granted to the far end, and not arrived yet. */
  #granted = INITIAL_WINDOW_BYTES;
  /** Bytes since the far end last said that it is held up, and when that was. */
  #received = 0;
  #blockedAt = performance.now();
  /** The highest rate so far with which a window was used up. Bytes a millisecond. */
  #bestRate = 0;

  constructor(raw: StreamPort) {
    this.#raw = raw;
  }

  /** False where so much was not granted. */
  arrived(bytes: number): boolean {
    this.#granted -= bytes;
    this.#received += bytes;
    return this.#granted >= 0;
  }

  /** Something may have been taken: `waiting` bytes have not been yet. Grants in steps of a quarter of the window. */
  taken(waiting: number): void {
    this.#grant(waiting, this.#bytes / 4);
  }

  /**
   * The writer at the far end is held up by the window. A larger one helps where the path is long, and is only more to queue where it is
   * narrow: so it grows while growing makes the stream faster, as measured here.
   */
  blocked(waiting: number): void {
    const now = performance.now();
    const rate = this.#received / Math.max(1, now - this.#blockedAt);
    this.#received = 0;
    this.#blockedAt = now;
    if (waiting > this.#bytes / 4 || rate < this.#bestRate * WORTHWHILE_GAIN) return;
    this.#bestRate = rate;
    this.#bytes = Math.min(this.#bytes * 2, MAX_WINDOW_BYTES);
    this.#grant(waiting, 0);
  }

  /** Grants what is missing to a full window, once that is at least `least` bytes. */
  #grant(waiting: number, least: number): void {
    const missing = this.#bytes - this.#granted - waiting;
    if (missing <= 0 || missing < least) return;
    this.#granted += missing;
    this.#raw.sendCredit(missing);
  }
}

/** Sends on a stream what the far end has granted, in pieces that the link wants. */
export class CreditedSender {
  readonly #raw: StreamPort;
  #credit: number;
  #unsent: Buffer | undefined;
  #saidBlocked = false;
  #flushing = false;

  /** @param credit what the far end takes to begin with. Bytes */
  constructor(raw: StreamPort, credit: number) {
    this.#raw = raw;
    this.#credit = credit;
  }

  /** Send no more before this or a later call has returned true: all of it has been handed to the link, which takes more. */
  send(chunk: Buffer): boolean {
    if (chunk.length > 0) this.#unsent = chunk;
    return this.flush();
  }

  /** The far end takes so many more bytes. As `send`. */
  granted(bytes: number): boolean {
    this.#credit = Math.min(this.#credit + bytes, MAX_WINDOW_BYTES);
    this.#saidBlocked = false;
    return this.flush();
  }

  /** The link may have room again. As `send`. */
  flush(): boolean {
    // Handing data to the link may make it call back here before it returns; whoever sends hears of it then.
    if (this.#flushing) return false;
    this.#flushing = true;
    while (this.#unsent && !this.#raw.isFull) {
      const size = Math.min(this.#unsent.length, this.#credit, this.#raw.pieceBytes);
      if (size === 0) {
        this.#sayBlocked();
        break;
      }
      const piece = this.#unsent.subarray(0, size);
      this.#unsent = size === this.#unsent.length ? undefined : this.#unsent.subarray(size);
      this.#credit -= size;
      this.#raw.sendData(piece);
    }
    this.#flushing = false;
    return !this.#unsent && !this.#raw.isFull;
  }

  #sayBlocked(): void {
    if (this.#saidBlocked) return;
    this.#saidBlocked = true;
    this.#raw.sendBlocked();
  }
}
