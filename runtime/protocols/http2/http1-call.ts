import { sentence } from '../../errors.ts';
import type { StreamError } from '../../link/reason.ts';
import { type Framing, IDEMPOTENT, type ResponseHead } from '../http/head.ts';
import { HttpError } from '../http/http-error.ts';
import { FRESH_WITHIN_MS } from '../http/limits.ts';
import type { AnswerSink, ServerConnection } from '../http/server-connection.ts';
import type { ServerPool } from '../http/server-pool.ts';
import type { Server } from '../listener.ts';
import type { Call, CallEvents, CallRequest } from './call.ts';
import { type Failure, unreached } from './failure.ts';
import type { Claimant, FairPlaces } from './fair-places.ts';
import { fieldOf, type Fields } from './field.ts';
import { requestHead, responseFields, trailerFields } from './http1-fields.ts';
import { Http1Message } from './http1-message.ts';
import type { Limits } from './limits.ts';

/** What the requests to one server have in common. */
export interface Http1Calling {
  readonly pool: ServerPool;
  readonly places: FairPlaces;
  readonly limits: Limits;
  /** The server has answered. */
  answered(): void;
}

/** A request to a server that speaks HTTP/1.1: it waits for a place, then has a connection for itself. */
export class Http1Call implements Call, Claimant, AnswerSink {
  readonly #server: Server;
  readonly #events: CallEvents;
  readonly #context: Http1Calling;
  readonly #method: string;
  readonly #request: Http1Message;
  readonly #leave: () => void;
  #connection: ServerConnection | undefined;
  #isConnecting = false;
  #isWritten = false;
  /** Of the response's body, what the client has not got yet. Bytes. */
  #untaken = 0;
  #hasEnded = false;
  #isWhole = false;
  /** The server has not asked for the body, though the request has it do that. */
  #isUnasked: boolean;
  #isOver = false;

  /** Throws where HTTP/1.1 has no words for the request, and a `StreamError` where too many wait already. */
  constructor(server: Server, { fields, ended, client }: CallRequest, events: CallEvents, context: Http1Calling) {
    this.#server = server;
    this.#events = events;
    this.#context = context;
    this.#method = fieldOf(fields, ':method')!;
    this.#isUnasked = !ended && fieldOf(fields, 'expect') !== undefined;
    this.#request = new Http1Message({
      sent: (bytes) => events.asked(bytes),
      written: () => {
        this.#isWritten = true;
        this.#closeWhereDone();
      },
    });
    this.#request.begin(requestHead(fields, ended));
    if (ended) this.#request.end(undefined);
    this.#leave = context.places.claim(server, client, this);
  }

  write(chunk: Buffer): void {
    this.#request.write(chunk);
  }

  end(trailers: Fields | undefined): void {
    this.#request.end(trailers);
  }

  taken(bytes: number): void {
    this.#untaken -= bytes;
    this.#hold();
  }

  cancel(): void {
    const cause = new Error('the request was taken back');
    this.#connection?.abort(cause);
    this.#close(this.#failure(cause));
  }

  granted(): void {
    const withinMs = IDEMPOTENT.has(this.#method) ? Infinity : FRESH_WITHIN_MS;
    const idle = this.#context.pool.take(this.#server.id, withinMs);
    if (idle) this.#use(idle);
    else this.#connect();
  }

  refused(reason: StreamError): void {
    this.#close(unreached(reason, this.#server));
  }

  answerHead(head: ResponseHead): Framing {
    if (head.isInterim) {
      if (head.status === 100) this.#isUnasked = false;
      this.#events.informed(responseFields(head));
      return 'interim';
    }
    if (head.status === 101) throw new HttpError(502, 'changes the protocol unasked');
    this.#context.answered();
    const framing = head.framing(this.#method);
    if (framing === 'chunked') this.#connection?.unchunk();
    this.#events.responded(responseFields(head), framing === 0);
    return framing;
  }

  answerBody(piece: Buffer): void {
    this.#untaken += piece.length;
    this.#hold();
    this.#events.answered(piece);
  }

  answerEnd(trailers: Buffer | undefined): void {
    this.#hasEnded = true;
    this.#events.answerEnded(trailerFields(trailers));
  }

  answerFed(rest: Buffer | undefined): void {
    if (!this.#hasEnded || !this.#connection) return;
    if (rest) this.#connection.persists = false;
    this.#isWhole = true;
    this.#closeWhereDone();
  }

  serverDrained(): void {
    this.#request.drained();
  }

  broken(cause: Error, hasBegun: boolean): void {
    const onAnother = this.#connection!.isReused && !hasBegun;
    // The others that are idle may have ended as silently.
    if (onAnother) this.#context.pool.endIdle(this.#server.id);
    this.#close(this.#isWhole ? undefined : { ...this.#failure(cause), onAnother });
  }

  #connect(): void {
    const { pool } = this.#context;
    // None of them will do, and they count beside the new one.
    pool.endIdle(this.#server.id);
    this.#isConnecting = true;
    void pool.connect(this.#server).then(
      (connection) => {
        this.#isConnecting = false;
        if (!this.#isOver) return this.#use(connection);
        pool.give(connection);
        return this.#leave();
      },
      (error: unknown) => {
        this.#isConnecting = false;
        this.#close(unreached(error, this.#server));
      },
    );
  }

  #use(connection: ServerConnection): void {
    this.#connection = connection;
    connection.begin(this);
    this.#request.sendTo(connection);
  }

  #hold(): void {
    this.#connection?.hold(this.#untaken >= this.#context.limits.serverWindowBytes);
  }

  #closeWhereDone(): void {
    const connection = this.#connection;
    if (!connection || !this.#isWhole) return;
    if (this.#isWritten) {
      // It may take what comes for its next request (RFC 9110, section 10.1.1): what it answers to that must be nobody's answer.
      if (this.#isUnasked) connection.persists = false;
      this.#context.pool.give(connection);
    }
    // Where the server reads no further, the rest of the request is for nobody.
    else if (!connection.persists || connection.isOver) connection.retire();
    else return;
    this.#close(undefined);
  }

  #close(failure: Failure | undefined): void {
    this.#connection = undefined;
    // A connection that is being made takes its place until it is there.
    if (!this.#isConnecting) this.#leave();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.stop();
    this.#events.callClosed(failure);
  }

  #failure(cause: Error): Failure {
    const reason = `at ${this.#server.site}, ${this.#server.target} gave no whole answer in HTTP/1.1 (${sentence(cause)})`;
    return { status: 502, reason, untouched: false };
  }
}
