import type { Duplex } from 'node:stream';
import { CreditedSender, ReceiveWindow } from '../link/credit.ts';
import type { StreamHandler, StreamPort } from '../link/raw-stream.ts';
import { type Reason, reasonOf, StreamError } from '../link/reason.ts';
import { Ring } from '../link/ring.ts';
import { abort } from './splice.ts';

/**
 * A stream over a link that is one with a connection, as `splice` makes two connections one. A `Duplex` in between would cost a
 * sixth of the whole again. What waits for the connection is bounded by the stream's window: the far end is granted what the system has taken.
 */
export class SplicedStream implements StreamHandler {
  readonly #raw: StreamPort;
  readonly #connection: Duplex;
  readonly #window: ReceiveWindow;
  readonly #sender: CreditedSender;
  /** The connection takes nothing more at the moment: what arrives is queued, so that it is granted again bit by bit as it goes. */
  #isFull = false;
  #queued: Ring<Buffer> | undefined;
  #queuedBytes = 0;
  /** The far end sends nothing more than what is queued. */
  #gotEnd = false;
  /** Nothing more is to be said to the far end. */
  #over = false;

  /**
   * @param raw taken by both ends, and given its handler here @param credit what the far end takes to begin with. Bytes
   * @param closed called once, when the connection is closed
   */
  constructor(raw: StreamPort, credit: number, connection: Duplex, closed: () => void) {
    this.#raw = raw;
    this.#connection = connection;
    this.#window = new ReceiveWindow(raw);
    this.#sender = new CreditedSender(raw, credit);
    raw.handler = this;
    // Either may have ended before they were one: nobody would hear of it any more.
    if (connection.closed) {
      this.#closed(connection.errored, closed);
      return;
    }
    let cause: Error | undefined;
    connection.on('error', (error) => (cause = error));
    connection.once('close', () => this.#closed(cause, closed));
    if (raw.closed) abort(connection, new Error('the stream was closed'));
    else if (!connection.destroyed) this.#pump();
  }

  opened(): void {
    this.abort(new StreamError({ code: 'protocol', message: 'a stream was accepted twice' }));
  }

  refused(reason: Reason): void {
    this.reset(reason);
  }

  data(payload: Buffer): void {
    if (!this.#window.arrived(payload.length)) {
      this.abort(new StreamError({ code: 'protocol', message: 'more was sent than the window allows' }));
      return;
    }
    if (this.#isFull) this.#queue(payload);
    else this.#isFull = !this.#connection.write(payload);
    this.#window.taken(this.#waiting);
  }

  ended(): void {
    this.#gotEnd = true;
    if (this.#queuedBytes === 0) this.#connection.end();
  }

  reset(reason: Reason): void {
    this.#over = true;
    abort(this.#connection, new StreamError(reason));
  }

  credit(bytes: number): void {
    if (this.#sender.granted(bytes)) this.#connection.resume();
  }

  blocked(): void {
    this.#window.blocked(this.#waiting);
  }

  lost(): void {}

  drained(): void {
    if (this.#sender.flush()) this.#connection.resume();
  }

  /** Resets both. */
  abort(cause: Error): void {
    this.#reset(cause);
    abort(this.#connection, cause);
  }

  /** Bytes that the system has not taken yet. */
  get #waiting(): number {
    return this.#queuedBytes + this.#connection.writableLength;
  }

  #queue(payload: Buffer): void {
    this.#queued ??= new Ring();
    this.#queued.push(payload);
    this.#queuedBytes += payload.length;
  }

  #drained(): void {
    this.#isFull = false;
    for (let next = this.#queued?.shift(); next; next = this.#isFull ? undefined : this.#queued?.shift()) {
      this.#queuedBytes -= next.length;
      this.#isFull = !this.#connection.write(next);
    }
    this.#window.taken(this.#waiting);
    if (this.#gotEnd && this.#queuedBytes === 0) this.#connection.end();
  }

  #pump(): void {
    const connection = this.#connection;
    connection.on('data', (chunk: Buffer) => {
      if (!this.#sender.send(chunk)) connection.pause();
    });
    connection.on('drain', () => this.#drained());
    // A client that has nothing to say may have said so while its server was being reached.
    if (connection.readableEnded) this.#raw.sendEnd();
    else connection.on('end', () => this.#raw.sendEnd());
    connection.resume();
  }

  #closed(cause: Error | null | undefined, closed: () => void): void {
    const { readableEnded, writableFinished } = this.#connection;
    // One that closes after both directions have ended has told the far end everything already.
    if (!readableEnded || !writableFinished) this.#reset(cause);
    closed();
  }

  #reset(cause: Error | null | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#raw.sendReset(reasonOf(cause));
  }
}
