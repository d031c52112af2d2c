import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { defect } from '../../defects.ts';
import { originOf } from '../origin.ts';
import { abort, splice } from '../splice.ts';
import { ForwardedLines } from './forwarded-lines.ts';
import { type Framing, RequestHead } from './head.ts';
import { HttpError } from './http-error.ts';
import { MessageParser, type MessageSink } from './message-parser.ts';
import { plainAnswer } from './own-answer.ts';
import { compacted, writeAll } from './pieces.ts';
import type { ClientContext, HandleRequest, RequestClient, RequestHandler } from './request-handler.ts';

/** What has come of further requests waits up to this; then the client does. Bytes. */
const MAX_AHEAD_BYTES = 64 * 1024;

/**
 * `waiting` for a request, in its `head`, at work on one (`busy`), `closing`: what still comes is for nobody; or `tunnelled`: it is not HTTP
 * any more.
 */
type State = 'waiting' | 'head' | 'busy' | 'closing' | 'tunnelled';

/** A client's connection: its requests, one after the other. */
export class ClientConnection implements MessageSink<RequestHead>, RequestClient {
  readonly forwarded: ForwardedLines;
  readonly #socket: Socket;
  readonly #context: ClientContext;
  readonly #handle: HandleRequest;
  readonly #parser: MessageParser<RequestHead>;
  #state: State = 'waiting';
  /** When it is given up, where it does not go on. Milliseconds. */
  #deadline: number;
  /** Bytes that had gone either way when it was last looked at, while it was busy. */
  #moved = 0;
  #request: RequestHead | undefined;
  #handler: RequestHandler | undefined;
  #requestEnded = false;
  /** What came behind the request that is being worked on. */
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #isReading = false;
  #isPaused = false;
  #isBodyHeld = false;

  constructor(socket: Socket, context: ClientContext, handle: HandleRequest) {
    this.#socket = socket;
    this.#context = context;
    this.#handle = handle;
    this.#deadline = performance.now() + context.limits.clientIdleMs;
    this.forwarded = new ForwardedLines(originOf(socket));
    this.#parser = new MessageParser('request', RequestHead.parse, this, context.limits);
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', () => {});
  }

  /** Gives up what has taken too long. */
  sweep(now: number): void {
    if (this.#state === 'tunnelled') return;
    if (this.#state === 'busy' && this.#goesOn()) this.#deadline = now + this.#context.limits.stalledMs;
    if (now < this.#deadline) return;
    if (this.#state === 'head') this.#reject(new HttpError(408, 'did not come in time'));
    else if (this.#state === 'busy') this.#reject(new HttpError(408, 'did not go on in time'));
    else if (this.#state === 'waiting') this.#close();
    else this.#socket.destroy();
  }

  /** Ends it between two requests: at once where there is none. */
  endIdle(): void {
    if (this.#state === 'waiting') this.#close();
  }

  head(head: RequestHead): Framing {
    this.#request = head;
    this.#state = 'busy';
    // It has a time of its own: from when it is first looked at.
    this.#moved = -1;
    this.#requestEnded = false;
    this.#handler = this.#handle(head, this);
    return head.framing;
  }

  body(piece: Buffer): void {
    this.#handler?.body(piece);
  }

  end(trailers?: Buffer): void {
    this.#requestEnded = true;
    this.#handler?.ended(trailers);
  }

  unchunk(): void {
    this.#parser.unchunks = true;
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  writeAll(pieces: readonly Buffer[]): boolean {
    return writeAll(this.#socket, pieces);
  }

  holdBody(isHeld: boolean): void {
    if (this.#isBodyHeld === isHeld) return;
    this.#isBodyHeld = isHeld;
    this.#flow();
  }

  finished(closes: boolean): void {
    this.#handler = undefined;
    this.#isBodyHeld = false;
    if (closes || this.#context.isClosing) {
      this.#close();
      return;
    }
    this.#state = 'waiting';
    this.#deadline = performance.now() + this.#context.limits.clientIdleMs;
    this.#readAhead();
  }

  refuse(status: number, sentence: string): void {
    const { method, minor, persists } = this.#request!;
    const closes = !persists || !this.#requestEnded || this.#context.isClosing;
    this.write(plainAnswer(sentence, { status, method, minor, closes }));
    this.finished(closes);
  }

  truncate(cause: Error): void {
    this.#handler = undefined;
    this.#state = 'closing';
    abort(this.#socket, cause);
  }

  tunnel(stream: Duplex, first: Buffer): void {
    this.#handler = undefined;
    this.#state = 'tunnelled';
    // The listener's counting goes on; nothing else here is of use any more.
    this.#socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd).off('close', this.#onClose);
    this.#socket.write(first);
    for (const piece of this.#ahead) stream.write(piece);
    splice(this.#socket, stream);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'closing') return;
    this.#ahead.push(chunk);
    this.#aheadBytes += chunk.length;
    this.#readAhead();
    this.#ahead = compacted(this.#ahead);
  };

  readonly #onDrain = (): void => {
    this.#handler?.drained();
    this.#readAhead();
  };

  /** A client that ends while it is owed an answer has gone: programs that are killed look like that. */
  readonly #onEnd = (): void => {
    if (this.#state === 'busy') this.#socket.destroy();
    else if (this.#state !== 'closing') this.#close();
  };

  readonly #onClose = (): void => {
    this.#state = 'closing';
    this.#leaveRequest();
  };

  /** Reads on until the end of a request. The next one waits until this one is answered, and the client has taken enough of that. */
  #readAhead(): void {
    // A request may be answered before this returns.
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#ahead.length > 0 && this.#isReadable) {
      const chunk = this.#ahead.shift()!;
      this.#aheadBytes -= chunk.length;
      this.#feed(chunk);
    }
    this.#isReading = false;
    this.#flow();
  }

  /** False: nothing has moved since the last look, and it is the client that has to send, or to read. A server may think for as long as it likes. */
  #goesOn(): boolean {
    const { bytesRead, bytesWritten, writableNeedDrain } = this.#socket;
    const before = this.#moved;
    this.#moved = bytesRead + bytesWritten;
    const isClients = writableNeedDrain || (!this.#requestEnded && !this.#isPaused);
    return !isClients || this.#moved !== before;
  }

  get #isReadable(): boolean {
    if (this.#state === 'busy') return !this.#requestEnded;
    return this.#state !== 'closing' && !this.#socket.writableNeedDrain;
  }

  #feed(chunk: Buffer): void {
    const before = this.#handler;
    try {
      const rest = this.#parser.feed(chunk);
      if (rest) {
        this.#ahead.unshift(rest);
        this.#aheadBytes += rest.length;
      }
      if (this.#state === 'waiting' && this.#parser.isInHead) {
        this.#state = 'head';
        this.#deadline = performance.now() + this.#context.limits.headWithinMs;
      }
      if (this.#handler !== before) this.#handler?.start();
    } catch (error) {
      this.#reject(error instanceof HttpError ? error : new HttpError(500, `could not be read: ${defect(error)}`));
    }
  }

  #flow(): void {
    const isHeld = this.#state !== 'closing' && (this.#isBodyHeld || this.#aheadBytes > MAX_AHEAD_BYTES);
    if (isHeld === this.#isPaused) return;
    this.#isPaused = isHeld;
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Whoever cannot say clearly where its request ends is not listened to any further. */
  #reject({ status, message }: HttpError): void {
    const hasAnswered = this.#handler?.hasAnswered;
    const method = this.#state === 'busy' ? this.#request?.method : undefined;
    this.#leaveRequest();
    const sentence = `${this.#context.way.address}: the request ${message}`;
    this.#context.log.debug('a request was refused', { reason: sentence, client: this.#socket.remoteAddress });
    if (hasAnswered) this.truncate(new Error(sentence));
    else {
      this.write(plainAnswer(sentence, { status, minor: 1, closes: true, ...(method !== undefined && { method }) }));
      this.#close();
    }
  }

  #leaveRequest(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.cancel();
  }

  /**
   * Ends it so that the client sees all of its answer, unless it never reads it: a socket that is closed with something unread is reset
   * (RFC 9112, section 9.6).
   */
  #close(): void {
    this.#state = 'closing';
    this.#ahead = [];
    this.#aheadBytes = 0;
    const { clientIdleMs, lingerMs } = this.#context.limits;
    this.#deadline = performance.now() + clientIdleMs;
    this.#socket.end(() => (this.#deadline = performance.now() + lingerMs));
    this.#flow();
  }
}
