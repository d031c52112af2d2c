import { StreamError } from '../../link/reason.ts';
import type { Attempts, Server } from '../listener.ts';
import type { Framing, RequestHead, ResponseHead } from './head.ts';
import { HttpError } from './http-error.ts';
import { noAnswer } from './no-answer.ts';
import { answerBytes, isJoined, requestBytes } from './passed-heads.ts';
import { compacted } from './pieces.ts';
import type { HttpContext, RequestClient, RequestHandler } from './request-handler.ts';
import type { AnswerSink, ServerConnection } from './server-connection.ts';

/** One request on its way to one server, and the answer on its way back. */
export class SingleExchange implements RequestHandler, AnswerSink {
  readonly #head: RequestHead;
  readonly #client: RequestClient;
  readonly #context: HttpContext;
  #attempts: Attempts | undefined;
  #server: Server | undefined;
  #connection: ServerConnection | undefined;
  /** What the client is told when no server is left: at first that there was none, later why the last one did not answer. */
  #problem: { status: number; sentence: string };
  /** Of the body: what no server has got yet, and what another one may have to get again. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Whether the request may be sent again, and all that was sent of it is kept. */
  #mayRepeat: boolean;
  #repeats = 0;
  #requestEnded = false;
  /** An answer's head that waits for the first piece of its body. */
  #waitingHead: ResponseHead | undefined;
  #answerBegan = false;
  #answerEnded = false;
  /** Both change the protocol. */
  #switches = false;
  /** The server has not asked for the body, though the request has it do that. */
  #isUnasked: boolean;
  /** The client's connection ends with the answer. */
  #closes = false;
  #isOver = false;

  constructor(head: RequestHead, client: RequestClient, context: HttpContext) {
    this.#head = head;
    this.#client = client;
    this.#context = context;
    this.#mayRepeat = head.isIdempotent;
    this.#isUnasked = head.expectsContinue && head.framing !== 0;
    this.#problem = { status: 503, sentence: `${context.way.address}: no server is there` };
  }

  get hasAnswered(): boolean {
    return this.#answerBegan && this.#waitingHead === undefined;
  }

  start(): void {
    this.#attempts = this.#context.way.attempts(this.#head);
    this.#tryNext();
  }

  body(piece: Buffer): void {
    const connection = this.#connection;
    if (connection === undefined || this.#mayRepeat) this.#keep(piece);
    if (connection === undefined) this.#client.holdBody(this.#keptBytes > this.#context.limits.replayBytes);
    else if (!connection.write(piece)) this.#client.holdBody(true);
  }

  ended(): void {
    this.#requestEnded = true;
    if (this.#answerEnded) this.#complete();
  }

  drained(): void {
    this.#connection?.hold(false);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // One that is still being made is dropped once it is there.
    if (this.#connection === undefined) return;
    this.#connection.abort(new Error('the client has gone'));
    this.#server?.done();
  }

  answerHead(head: ResponseHead): Framing {
    const { minor, method, persists, upgrade } = this.#head;
    if (head.isInterim) {
      if (head.status === 100) this.#isUnasked = false;
      // HTTP/1.0 does not know them (RFC 9110, section 15.2).
      if (minor === 1) this.#write(answerBytes(head, { minor, closes: false }, undefined));
      return 'interim';
    }
    if (head.status === 101) {
      if (upgrade === undefined || !this.#requestEnded) throw new HttpError(502, 'changes the protocol unasked');
      this.#switches = true;
    }
    const framing = head.framing(method);
    const isUnchunked = framing === 'chunked' && minor === 0;
    if (isUnchunked) this.#connection?.unchunk();
    const isCutShort = !this.#requestEnded && !head.persists;
    this.#closes = !persists || this.#context.isClosing || framing === 'until-close' || isUnchunked || isCutShort;
    this.#waitingHead = head;
    this.#answerBegan = true;
    this.#forget();
    return framing;
  }

  answerBody(piece: Buffer): void {
    if (this.#waitingHead) this.#writeHead(piece);
    else this.#write(piece);
  }

  answerEnd(): void {
    this.#answerEnded = true;
  }

  answerFed(rest: Buffer | undefined): void {
    if (this.#switches) {
      this.#tunnel(rest);
      return;
    }
    if (this.#waitingHead) this.#writeHead(undefined);
    if (!this.#answerEnded) return;
    const connection = this.#connection!;
    if (rest) connection.persists = false;
    // Where the server reads no further, the rest of the request is for nobody.
    if (this.#requestEnded || !connection.persists || connection.isOver) this.#complete();
  }

  serverDrained(): void {
    this.#client.holdBody(false);
  }

  broken(cause: Error, hasBegun: boolean): void {
    const server = this.#server!;
    const wasReused = this.#connection!.isReused;
    this.#connection = undefined;
    if (this.#answerEnded) this.#complete();
    else if (this.#answerBegan) {
      this.#leave(server);
      this.#client.truncate(cause);
    } else {
      this.#note(server, cause, 502);
      if (hasBegun || !this.#mayRepeat || this.#repeats === this.#context.limits.repeats) this.#refuse();
      // A connection from the pool that ends says nothing of its server.
      else if (wasReused) void this.#connect(server);
      else {
        this.#repeats++;
        server.done();
        this.#tryNext();
      }
    }
  }

  #tryNext(): void {
    const server = this.#attempts!.next();
    this.#server = server;
    if (server === undefined) {
      this.#refuse();
      return;
    }
    const { pool, limits } = this.#context;
    const idle = pool.take(server.id, this.#head.isIdempotent ? Infinity : limits.freshWithinMs);
    if (idle) this.#use(idle);
    else void this.#connect(server);
  }

  async #connect(server: Server): Promise<void> {
    try {
      const connection = await this.#context.pool.connect(server);
      if (this.#isOver) {
        connection.retire();
        server.done();
      } else this.#use(connection);
    } catch (error) {
      server.done();
      if (!(error instanceof StreamError)) throw error;
      if (this.#isOver) return;
      this.#note(server, error, 503);
      this.#tryNext();
    }
  }

  /** Sends what there is of the request. */
  #use(connection: ServerConnection): void {
    this.#connection = connection;
    connection.begin(this);
    const { address } = this.#context.way;
    const [first, ...more] = this.#kept;
    const head = requestBytes(this.#head, this.#client.forwarded, { address }, first);
    const pieces = first && !isJoined(first) ? [head, first, ...more] : [head, ...more];
    const takesMore = pieces.length === 1 ? connection.write(head) : connection.writeAll(pieces);
    if (!this.#mayRepeat) this.#forget();
    this.#client.holdBody(!takesMore);
  }

  #keep(piece: Buffer): void {
    this.#kept.push(piece);
    this.#kept = compacted(this.#kept);
    this.#keptBytes += piece.length;
    if (this.#keptBytes <= this.#context.limits.replayBytes) return;
    this.#mayRepeat = false;
    if (this.#connection) this.#forget();
  }

  #forget(): void {
    this.#mayRepeat = false;
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #writeHead(body: Buffer | undefined): void {
    const head = answerBytes(this.#waitingHead!, { minor: this.#head.minor, closes: this.#closes }, body);
    this.#waitingHead = undefined;
    this.#write(head, isJoined(body) ? undefined : body);
  }

  #write(bytes: Buffer, more?: Buffer): void {
    const takesMore = more ? this.#client.writeAll([bytes, more]) : this.#client.write(bytes);
    if (!takesMore) this.#connection?.hold(true);
  }

  /** Nothing more comes, and what was said is said. */
  #complete(): void {
    const connection = this.#connection;
    // It may take what comes for its next request (RFC 9110, section 10.1.1): what it answers to that must be nobody's answer.
    if (connection && this.#isUnasked) connection.persists = false;
    this.#leave(this.#server!);
    if (connection && this.#requestEnded) this.#context.pool.give(connection);
    else connection?.retire();
    this.#client.finished(this.#closes || !this.#requestEnded);
  }

  #tunnel(rest: Buffer | undefined): void {
    const server = this.#server!;
    const stream = this.#connection!.detach();
    this.#isOver = true;
    stream.once('close', () => server.done());
    const head = answerBytes(this.#waitingHead!, { minor: 1, closes: false }, undefined);
    this.#client.tunnel(stream, rest ? Buffer.concat([head, rest]) : head);
  }

  #note({ site }: Server, cause: Error, status: number): void {
    const { way, log } = this.#context;
    this.#problem = {
      status: cause instanceof StreamError && cause.code === 'timeout' ? 504 : status,
      sentence: `${way.address}: ${noAnswer(site, cause)}`,
    };
    log.debug('a server did not answer a request', { reason: this.#problem.sentence });
  }

  #refuse(): void {
    if (this.#server) this.#leave(this.#server);
    this.#isOver = true;
    const { status, sentence } = this.#problem;
    this.#context.log.warn('a request was not answered', { reason: sentence });
    this.#client.refuse(status, sentence);
  }

  #leave(server: Server): void {
    this.#isOver = true;
    server.done();
  }
}
