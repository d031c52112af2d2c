import { Duplex } from 'node:stream';
import type { StreamHandler, StreamPort } from './raw-stream.ts';
import type { Place } from '../routing/types.ts';
import { type Reason, StreamError } from './reason.ts';

/** What a new stream may have on its way. Grows while its reader is faster than its window. Bytes. */
export const INITIAL_WINDOW_BYTES = 1024 * 1024;
/** What one stream may have on its way at most, in one direction: the bound on what it can occupy anywhere. Bytes. */
export const MAX_WINDOW_BYTES = 16 * 1024 * 1024;

/** A larger window must have made the stream faster by this factor to be enlarged again. */
const WORTHWHILE_GAIN = 1.2;

/**
 * The end of a stream, as the protocols use it: a `Duplex` with half-close (`end`), reset (`destroy` with an error) and
 * backpressure. Credit goes from end to end: the reader here grants what its application has taken.
 */
export class LinkStream extends Duplex implements StreamHandler {
  /** Of a multicast: who gets nothing more of what is written. The event `lost` tells of each as it happens. */
  readonly lostMembers: Place[] = [];
  readonly #raw: StreamPort;
  #window = INITIAL_WINDOW_BYTES;
  /** Bytes granted to the far end that have not arrived yet. */
  #granted = INITIAL_WINDOW_BYTES;
  /** Bytes since the far end last said that it is held up, and when that was. */
  #received = 0;
  #blockedAt = performance.now();
  /** The highest rate so far with which a window was used up. Bytes a millisecond. */
  #bestRate = 0;
  /** Bytes that may be sent. */
  #credit = 0;
  #saidBlocked = false;
  #flushing = false;
  /** What `_write` could not send yet, and whom to tell when it is sent. */
  #unsent: Buffer | undefined;
  #written: ((error?: Error) => void) | undefined;
  #settle: ((error: Error | undefined) => void) | undefined;
  #over = false;

  private constructor(raw: StreamPort) {
    super({ allowHalfOpen: true, readableHighWaterMark: 128 * 1024, writableHighWaterMark: 128 * 1024 });
    this.#raw = raw;
    // A reset may come before anyone listens; whoever uses the stream later finds it destroyed.
    this.on('error', () => {});
  }

  /** Opens a stream towards a destination; rejects with a `StreamError` where it is refused or not answered in time. */
  static open(raw: StreamPort, info: unknown, withinMs: number): Promise<LinkStream> {
    const stream = new LinkStream(raw);
    raw.handler = stream;
    return new Promise((resolve, reject) => {
      const late = { code: 'timeout', message: `there was no answer (${withinMs / 1000} s)` } as const;
      const timer = setTimeout(() => stream.#settled(new StreamError(late)), withinMs);
      stream.#settle = (error) => {
        clearTimeout(timer);
        if (!error) return resolve(stream);
        stream.destroy();
        return reject(error);
      };
      if (raw.closed) stream.refused({ code: 'link-lost', message: 'the link was lost' });
      else raw.sendOpen(INITIAL_WINDOW_BYTES, info);
    });
  }

  /** Accepts a stream that the far end opened; it takes `window` bytes to begin with. */
  static accept(raw: StreamPort, window: number, info: unknown): LinkStream {
    const stream = new LinkStream(raw);
    raw.handler = stream;
    stream.#credit = window;
    raw.sendOpened(INITIAL_WINDOW_BYTES, info);
    return stream;
  }

  opened(window: number): void {
    this.#credit = window;
    this.#settled(undefined);
  }

  refused(reason: Reason): void {
    this.#over = true;
    this.#settled(new StreamError(reason));
  }

  data(payload: Buffer): void {
    this.#granted -= payload.length;
    this.#received += payload.length;
    if (this.#granted < 0) this.destroy(new StreamError({ code: 'protocol', message: 'more was sent than the window allows' }));
    else {
      this.push(payload);
      this.#grant(this.#window / 4);
    }
  }

  ended(): void {
    this.push(null);
  }

  reset(reason: Reason): void {
    this.#over = true;
    if (this.#settle) this.#settled(new StreamError(reason));
    else this.destroy(new StreamError(reason));
  }

  credit(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, MAX_WINDOW_BYTES);
    this.#saidBlocked = false;
    this.#flush();
  }

  /**
   * The writer at the far end is held up by the window. A larger one helps where the path is long, and is only more to queue where it is
   * narrow: so it grows while growing makes the stream faster, as measured here.
   */
  blocked(): void {
    const now = performance.now();
    const rate = this.#received / Math.max(1, now - this.#blockedAt);
    this.#received = 0;
    this.#blockedAt = now;
    if (this.readableLength > this.#window / 4 || rate < this.#bestRate * WORTHWHILE_GAIN) return;
    this.#bestRate = rate;
    this.#window = Math.min(this.#window * 2, MAX_WINDOW_BYTES);
    this.#grant(0);
  }

  lost(members: Place[]): void {
    this.lostMembers.push(...members);
    this.emit('lost', members);
  }

  drained(): void {
    this.#flush();
  }

  /** Grants what was taken; `_read` is called before that, and not again while nothing arrives. */
  override read(size?: number): unknown {
    const taken: unknown = super.read(size);
    this.#grant(this.#window / 4);
    return taken;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: (error?: Error) => void): void {
    this.#unsent = chunk.length > 0 ? chunk : undefined;
    this.#written = written;
    this.#flush();
  }

  override _final(done: (error?: Error) => void): void {
    this.#raw.sendEnd();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const complete = this.readableEnded && this.writableFinished;
    if (!this.#over && !complete) this.#raw.sendReset(reasonOf(error));
    this.#over = true;
    const written = this.#written;
    this.#written = undefined;
    written?.(error ?? undefined);
    done(error);
  }

  #settled(error: Error | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error);
  }

  /** Grants the far end what is missing to a full window, once that is at least `least` bytes. */
  #grant(least: number): void {
    const missing = this.#window - this.#granted - this.readableLength;
    if (missing <= 0 || missing < least || this.#over) return;
    this.#granted += missing;
    this.#raw.sendCredit(missing);
  }

  #flush(): void {
    // Handing data to the link may make it call back here (`drained`) before it returns.
    if (this.#flushing) return;
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
    if (this.#unsent || this.#raw.isFull) return;
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  #sayBlocked(): void {
    if (this.#saidBlocked) return;
    this.#saidBlocked = true;
    this.#raw.sendBlocked();
  }
}

function reasonOf(error: Error | null): Reason {
  if (error instanceof StreamError) return { code: error.code, message: error.message };
  return { code: 'reset', message: error?.message ?? 'the connection was closed' };
}
