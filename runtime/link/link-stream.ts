import { Duplex } from 'node:stream';
import type { Place } from '../routing/types.ts';
import { CreditedSender, INITIAL_WINDOW_BYTES, ReceiveWindow } from './credit.ts';
import { openStream } from './open-stream.ts';
import type { StreamHandler, StreamPort } from './raw-stream.ts';
import { type Reason, reasonOf, StreamError } from './reason.ts';

/**
 * The end of a stream, as the protocols use it: a `Duplex` with half-close (`end`), reset (`destroy` with an error) and
 * backpressure. Credit goes from end to end: the reader here grants what its application has taken.
 */
export class LinkStream extends Duplex implements StreamHandler {
  /** Of a multicast: who gets nothing more of what is written. The event `lost` tells of each as it happens. */
  readonly lostMembers: Place[];
  readonly #raw: StreamPort;
  readonly #window: ReceiveWindow;
  readonly #sender: CreditedSender;
  /** Whom to tell when what `_write` was given has been sent. */
  #written: ((error?: Error) => void) | undefined;
  #over = false;

  private constructor(raw: StreamPort, credit: number, lost: readonly Place[] = []) {
    super({ allowHalfOpen: true, readableHighWaterMark: 128 * 1024, writableHighWaterMark: 128 * 1024 });
    this.#raw = raw;
    this.#window = new ReceiveWindow(raw);
    this.#sender = new CreditedSender(raw, credit);
    this.lostMembers = [...lost];
    raw.handler = this;
    // A reset may come before anyone listens; whoever uses the stream later finds it destroyed.
    this.on('error', () => {});
  }

  /** Opens a stream towards a destination; rejects with a `StreamError` where it is refused or not answered in time. */
  static open(raw: StreamPort, info: unknown, withinMs: number): Promise<LinkStream> {
    return openStream(raw, info, withinMs, (window, lost) => new LinkStream(raw, window, lost));
  }

  /** Accepts a stream that the far end opened; it takes `window` bytes to begin with. */
  static accept(raw: StreamPort, window: number, info: unknown): LinkStream {
    const stream = new LinkStream(raw, window);
    raw.sendOpened(INITIAL_WINDOW_BYTES, info);
    return stream;
  }

  opened(): void {
    this.destroy(new StreamError({ code: 'protocol', message: 'a stream was accepted twice' }));
  }

  refused(reason: Reason): void {
    this.reset(reason);
  }

  data(payload: Buffer): void {
    if (!this.#window.arrived(payload.length)) {
      this.destroy(new StreamError({ code: 'protocol', message: 'more was sent than the window allows' }));
      return;
    }
    this.push(payload);
    this.#taken();
  }

  ended(): void {
    this.push(null);
  }

  reset(reason: Reason): void {
    this.#over = true;
    this.destroy(new StreamError(reason));
  }

  credit(bytes: number): void {
    if (this.#sender.granted(bytes)) this.#wrote();
  }

  blocked(): void {
    this.#window.blocked(this.readableLength);
  }

  lost(members: Place[]): void {
    this.lostMembers.push(...members);
    this.emit('lost', members);
  }

  drained(): void {
    if (this.#sender.flush()) this.#wrote();
  }

  /** Grants what was taken; `_read` is called before that, and not again while nothing arrives. */
  override read(size?: number): unknown {
    const taken: unknown = super.read(size);
    this.#taken();
    return taken;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: (error?: Error) => void): void {
    this.#written = written;
    if (this.#sender.send(chunk)) this.#wrote();
  }

  override _final(done: (error?: Error) => void): void {
    this.#raw.sendEnd();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const complete = this.readableEnded && this.writableFinished;
    if (!this.#over && !complete) this.#raw.sendReset(reasonOf(error));
    this.#over = true;
    this.#wrote(error ?? undefined);
    done(error);
  }

  #taken(): void {
    if (!this.#over) this.#window.taken(this.readableLength);
  }

  #wrote(error?: Error): void {
    const written = this.#written;
    this.#written = undefined;
    written?.(error);
  }
}
