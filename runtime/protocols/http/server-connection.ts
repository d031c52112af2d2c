import type { Duplex } from 'node:stream';
import { defect } from '../../defects.ts';
import type { Server } from '../listener.ts';
import { abort } from '../splice.ts';
import { endOfAge } from './end-of-age.ts';
import { HttpError } from './http-error.ts';
import { type Framing, ResponseHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import { MessageParser, type MessageSink } from './message-parser.ts';
import { writeAll } from './pieces.ts';

/** Whom the answer to a request goes to. */
export interface AnswerSink {
  /** Says how the answer's body is framed. */
  answerHead(head: ResponseHead): Framing;
  answerBody(piece: Buffer): void;
  /** `trailers`: as a `MessageSink` gets them. */
  answerEnd(trailers?: Buffer): void;
  /** What one read brought has been handed over. `rest` is what came behind the answer's end. */
  answerFed(rest: Buffer | undefined): void;
  /** The server takes more of the request. */
  serverDrained(): void;
  /** There will be no answer, or not the rest of it. `hasBegun`: some of it came. */
  broken(cause: Error, hasBegun: boolean): void;
}

/** A connection to one server, for one request at a time. */
export class ServerConnection implements MessageSink<ResponseHead> {
  readonly server: Server;
  /** Whether it had a request before: then the server may have closed it in this very moment. */
  isReused = false;
  /** When it was given back, and for how long it may stay so. Milliseconds. */
  idleSince = 0;
  idleMs: number;
  /** When it is too old to be kept. Milliseconds. */
  readonly oldAt: number;
  /** Whether the server keeps it after the last answer. */
  persists = true;
  readonly #stream: Duplex;
  readonly #parser: MessageParser<ResponseHead>;
  readonly #lingerMs: number;
  readonly #gone: (connection: ServerConnection) => void;
  #sink: AnswerSink | undefined;
  #hasBegun = false;
  #hasEnded = false;
  #isOver = false;
  #cause: Error | undefined;

  /** `gone` is called once the connection is of no use any more. */
  constructor(server: Server, stream: Duplex, limits: HttpLimits, gone: (connection: ServerConnection) => void) {
    this.server = server;
    this.idleMs = limits.serverIdleMs;
    this.oldAt = endOfAge(limits.serverAgeMs);
    this.#lingerMs = limits.lingerMs;
    this.#stream = stream;
    this.#gone = gone;
    this.#parser = new MessageParser('response', ResponseHead.parse, this, limits);
    stream.on('data', this.#onData);
    stream.on('drain', this.#onDrain);
    stream.on('end', this.#onEnd);
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
    if (stream.destroyed) process.nextTick(this.#onClose);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From here on what comes is the answer for `sink`. */
  begin(sink: AnswerSink): void {
    this.#sink = sink;
    this.#hasBegun = false;
    this.#hasEnded = false;
  }

  /** The request is over, and the connection is idle. */
  release(): void {
    this.#sink = undefined;
    this.isReused = true;
    this.#stream.resume();
  }

  /** False: `serverDrained` is called when more may come. */
  write(bytes: Buffer): boolean {
    return this.#stream.write(bytes);
  }

  /** Several writes at once. */
  writeAll(pieces: readonly Buffer[]): boolean {
    return writeAll(this.#stream, pieces);
  }

  /** `done` is told once all that was written so far has left. */
  flushed(done: (error?: Error | null) => void): void {
    this.#stream.write('', done);
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#stream.pause();
    else this.#stream.resume();
  }

  /** The answer's chunks are taken apart. */
  unchunk(): void {
    this.#parser.unchunks = true;
  }

  /** Ends it in order. A server that does not end its side in time loses it. */
  retire(): void {
    this.#sink = undefined;
    this.#over();
    this.#stream.resume();
    this.#stream.end();
    const timer = setTimeout(() => this.#stream.destroy(), this.#lingerMs).unref();
    this.#stream.once('close', () => clearTimeout(timer));
  }

  /** Ends it at once: the server learns that its answer is not wanted any more. */
  abort(cause: Error): void {
    this.#sink = undefined;
    this.#over();
    abort(this.#stream, cause);
  }

  /** Gives the stream away, as it is. */
  detach(): Duplex {
    const stream = this.#stream;
    this.#sink = undefined;
    this.#over();
    stream.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd).off('close', this.#onClose);
    return stream;
  }

  head(head: ResponseHead): Framing {
    if (!head.isInterim) {
      this.persists = head.persists;
      // The server would close it at that moment; be gone before that.
      if (head.idleMs !== undefined) this.idleMs = Math.min(this.idleMs, Math.max(0, head.idleMs - CLOSING_MS));
    }
    return this.#sink!.answerHead(head);
  }

  body(piece: Buffer): void {
    this.#sink?.answerBody(piece);
  }

  end(trailers?: Buffer): void {
    this.#hasEnded = true;
    this.#sink?.answerEnd(trailers);
  }

  readonly #onData = (chunk: Buffer): void => {
    const sink = this.#sink;
    if (sink === undefined || this.#hasEnded) {
      // Nobody asked: whatever it is, the next request must not get it as its answer.
      if (!this.#isOver) this.#break(new Error('it sent more than an answer'));
      return;
    }
    this.#hasBegun = true;
    let rest: Buffer | undefined;
    try {
      rest = this.#parser.feed(chunk);
    } catch (error) {
      this.#break(new Error(error instanceof HttpError ? `its answer ${error.message}` : defect(error)));
      return;
    }
    sink.answerFed(rest);
  };

  readonly #onDrain = (): void => this.#sink?.serverDrained();

  readonly #onEnd = (): void => {
    const sink = this.#sink;
    this.#over();
    // An answer without a length is whole now.
    if (sink && !this.#hasEnded && this.#parser.finish() && this.#hasEnded) {
      this.#sink = undefined;
      sink.answerFed(undefined);
    } else this.#tell(new Error('it closed the connection'));
    this.#stream.end();
  };

  readonly #onError = (error: Error): void => {
    this.#cause ??= error;
  };

  readonly #onClose = (): void => {
    this.#over();
    this.#tell(this.#cause ?? new Error('the connection was closed'));
  };

  #break(cause: Error): void {
    this.#over();
    this.#tell(cause);
    abort(this.#stream, cause);
  }

  #tell(cause: Error): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.broken(cause, this.#hasBegun);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#gone(this);
  }
}

/** So much before a server closes an idle connection it is not used any more. Milliseconds. */
const CLOSING_MS = 1000;
