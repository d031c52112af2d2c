import type { Server } from '../listener.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { Framing, ResponseHead } from './head.ts';
import type { ServerPool } from './server-pool.ts';
import type { AnswerSink, ServerConnection } from './server-connection.ts';

/** What one server answered. Where it failed, `error` says why. */
export interface Collected {
  site: string;
  type: string | undefined;
  body: Buffer;
  error?: Error;
}

/** What is sent, and how much may come. */
export interface CallOptions {
  pool: ServerPool;
  request: Buffer;
  method: string;
  /** Whether the request may be sent again where a connection from the pool was closed just then. */
  isIdempotent: boolean;
  freshWithinMs: number;
  /** Of the answer. Undefined: it is read and dropped. Bytes. */
  answerBytes: number | undefined;
  /** What all answers of the listener together may still have: what this one has of it is to be given back. Bytes. */
  budget: { left: number };
}

/** One server's part in a request that goes to all of them. */
export class FanOutCall implements AnswerSink {
  /** Whether the server was handed the whole request. */
  readonly handedOver: Promise<boolean>;
  /** Never rejects. */
  readonly answer: Promise<Collected>;
  readonly #server: Server;
  readonly #options: CallOptions;
  #connection: ServerConnection | undefined;
  #settleHandedOver: (isHandedOver: boolean) => void = () => {};
  #settleAnswer: (answer: Collected) => void = () => {};
  #head: ResponseHead | undefined;
  readonly #body = new GatheredBytes();
  #hasEnded = false;
  #isOver = false;

  constructor(server: Server, options: CallOptions) {
    this.#server = server;
    this.#options = options;
    this.handedOver = new Promise((resolve) => (this.#settleHandedOver = resolve));
    this.answer = new Promise((resolve) => (this.#settleAnswer = resolve));
    const idle = options.pool.take(server.id, options.isIdempotent ? Infinity : options.freshWithinMs);
    if (idle) this.#use(idle);
    else void this.#connect();
  }

  /** What it has of the budget. Bytes. */
  get heldBytes(): number {
    return this.#body.size;
  }

  /** Gives the server up, where it is not done yet. */
  abandon(cause: Error): void {
    this.#fail(cause);
  }

  answerHead(head: ResponseHead): Framing {
    if (head.isInterim) return 'interim';
    this.#head = head;
    const framing = head.framing(this.#options.method);
    if (framing === 'chunked') this.#connection?.unchunk();
    return framing;
  }

  answerBody(piece: Buffer): void {
    const { answerBytes, budget } = this.#options;
    if (answerBytes === undefined || this.#isOver) return;
    if (this.#body.size + piece.length > answerBytes) this.#fail(new Error(`its answer has more than ${answerBytes} bytes`));
    else if (piece.length > budget.left) this.#fail(new Error('all answers together are too large'));
    else {
      budget.left -= piece.length;
      this.#body.add(piece);
    }
  }

  answerEnd(): void {
    this.#hasEnded = true;
  }

  answerFed(rest: Buffer | undefined): void {
    const connection = this.#connection;
    if (!this.#hasEnded || this.#isOver || connection === undefined) return;
    if (rest) connection.persists = false;
    this.#options.pool.give(connection);
    const { status, isSuccess } = this.#head!;
    this.#settle(isSuccess ? undefined : new Error(`it answered with the status ${status}`));
  }

  serverDrained(): void {}

  broken(cause: Error, hasBegun: boolean): void {
    const mayRepeat = this.#connection!.isReused && !hasBegun && this.#options.isIdempotent;
    this.#connection = undefined;
    if (mayRepeat) void this.#connect();
    else this.#fail(cause);
  }

  async #connect(): Promise<void> {
    try {
      const connection = await this.#options.pool.connect(this.#server);
      if (this.#isOver) connection.retire();
      else this.#use(connection);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #use(connection: ServerConnection): void {
    this.#connection = connection;
    connection.begin(this);
    connection.write(this.#options.request);
    connection.flushed((error) => this.#settleHandedOver(!error));
  }

  #fail(cause: Error): void {
    if (this.#isOver) return;
    this.#connection?.abort(cause);
    this.#settle(cause);
  }

  #settle(error: Error | undefined): void {
    this.#isOver = true;
    this.#connection = undefined;
    this.#server.done();
    this.#settleHandedOver(error === undefined);
    const { site } = this.#server;
    const type = this.#head?.header('content-type');
    this.#settleAnswer({ site, type, body: this.#body.bytes, ...(error && { error }) });
  }
}
