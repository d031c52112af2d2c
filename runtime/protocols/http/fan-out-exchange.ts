import { randomBytes } from 'node:crypto';
import type { FanOut, Server } from '../listener.ts';
import { type Collected, FanOutCall } from './fan-out-call.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { RequestHead } from './head.ts';
import { noAnswer } from './no-answer.ts';
import { ownHead } from './own-answer.ts';
import { requestBytes } from './passed-heads.ts';
import { takeSome } from './pieces.ts';
import type { HttpContext, RequestClient, RequestHandler } from './request-handler.ts';

/** So much of an answer is written at a time: it can be seen then that its client goes on. Bytes. */
const WRITE_BYTES = 64 * 1024;
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');

/** One request on its way to all servers, and what is made of their answers. */
export class FanOutExchange implements RequestHandler {
  readonly #kind: FanOut;
  readonly #head: RequestHead;
  readonly #client: RequestClient;
  readonly #context: HttpContext;
  readonly #body = new GatheredBytes();
  #hasStarted = false;
  #requestEnded = false;
  #isOver = false;
  #calls: FanOutCall[] = [];
  hasAnswered = false;
  /** What the client has not got of its answer. */
  #unsent: Buffer[] = [];
  #closes = false;

  constructor(kind: FanOut, head: RequestHead, client: RequestClient, context: HttpContext) {
    this.#kind = kind;
    this.#head = head;
    this.#client = client;
    this.#context = context;
  }

  start(): void {
    this.#hasStarted = true;
    // What is too much is not waited for.
    this.#bound(Math.max(this.#head.contentLength ?? 0, this.#body.size));
    if (this.#isOver) return;
    if (this.#requestEnded) void this.#send();
    else if (this.#head.expectsContinue) this.#client.write(CONTINUE);
  }

  body(piece: Buffer): void {
    if (this.#isOver) return;
    this.#body.add(piece);
    if (this.#hasStarted) this.#bound(this.#body.size);
  }

  ended(): void {
    this.#requestEnded = true;
    if (this.#hasStarted && !this.#isOver) void this.#send();
  }

  drained(): void {
    if (this.hasAnswered) this.#pour();
  }

  cancel(): void {
    for (const call of this.#calls) call.abandon(new Error('the client has gone'));
    this.#end();
  }

  #bound(bytes: number): void {
    const { fanOutRequestBytes } = this.#context.limits;
    if (bytes <= fanOutRequestBytes) return;
    this.#refuse(413, `a request to all servers may have ${fanOutRequestBytes} bytes`);
  }

  async #send(): Promise<void> {
    const { way, pool, limits, fanOut } = this.#context;
    const attempts = way.attempts(this.#head);
    const servers: Server[] = [];
    for (let server = attempts.next(); server; server = attempts.next()) servers.push(server);
    if (servers.length === 0) {
      this.#refuse(503, 'no server is there');
      return;
    }
    const { method, isIdempotent } = this.#head;
    const passing = { address: way.address, isWhole: true, isCollected: true };
    const head = requestBytes(this.#head, this.#client.forwarded, passing, undefined);
    const options = {
      pool,
      request: Buffer.concat([head, this.#body.bytes]),
      method,
      isIdempotent,
      freshWithinMs: limits.freshWithinMs,
      answerBytes: this.#kind === 'event' ? undefined : limits.fanOutAnswerBytes,
      budget: fanOut,
    };
    const calls = servers.map((server) => new FanOutCall(server, options));
    this.#calls = calls;
    const late = new Error(`there was no answer (${limits.fanOutWithinMs / 1000} s)`);
    // Of those, too, whose answers are for nobody any more.
    const timer = setTimeout(() => {
      for (const call of calls) call.abandon(late);
    }, limits.fanOutWithinMs).unref();
    const answers = Promise.all(calls.map(({ answer }) => answer)).finally(() => clearTimeout(timer));
    if (this.#kind === 'event') await this.#answerEvent(answers);
    else this.#answer(this.#kind === 'json' ? jsonOf(await this.#named(answers)) : multipartOf(await this.#named(answers)));
  }

  /** What the servers say to it comes later, and is for nobody. */
  async #answerEvent(answers: Promise<Collected[]>): Promise<void> {
    const handedOver = await Promise.all(this.#calls.map((call) => call.handedOver));
    if (this.#isOver) return;
    if (handedOver.some(Boolean)) {
      this.#calls = [];
      this.#answer({ status: 202 });
      return;
    }
    const [{ error } = {}] = await this.#named(answers);
    if (!this.#isOver) this.#refuse(503, error?.message ?? 'no server took it');
  }

  /** The answers, with errors that say who failed. */
  async #named(answers: Promise<Collected[]>): Promise<Collected[]> {
    return (await answers).map((answer) =>
      answer.error === undefined ? answer : { ...answer, error: new Error(noAnswer(answer.site, answer.error)) },
    );
  }

  #answer({ body = [], ...answer }: Whole): void {
    if (this.#isOver) return;
    const { minor, method, persists } = this.#head;
    this.#closes = !persists || this.#context.isClosing;
    this.hasAnswered = true;
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const head = ownHead({ ...answer, minor, closes: this.#closes }, length);
    this.#unsent = method === 'HEAD' ? [head] : [head, ...body];
    this.#pour();
  }

  /** Writes as much of the answer as the client takes: what it does not take counts still. */
  #pour(): void {
    while (this.#unsent.length > 0) if (!this.#client.writeAll(takeSome(this.#unsent, WRITE_BYTES))) return;
    this.#end();
    this.#client.finished(this.#closes);
  }

  /** What was gathered is let go. */
  #end(): void {
    this.#isOver = true;
    for (const call of this.#calls) this.#context.fanOut.left += call.heldBytes;
    this.#calls = [];
    this.#unsent = [];
  }

  #refuse(status: number, what: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#client.refuse(status, `${this.#context.way.address}: ${what}`);
  }
}

interface Whole {
  status: number;
  type?: string;
  /** In pieces: they are large, and copied nowhere. */
  body?: Buffer[];
}

/** An array of the answers as they are: numbers that JavaScript cannot hold stay what they were. */
function jsonOf(answers: Collected[]): Whole {
  const failed = (site: string, error: string): Buffer => Buffer.from(JSON.stringify({ error, site }));
  const elements = answers.map(({ site, body, error }) => {
    if (error) return failed(site, error.message);
    try {
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
      return body[0] === MARK[0] ? body.subarray(MARK.length) : body;
    } catch {
      return failed(site, `${site} answered something that is not JSON`);
    }
  });
  const body = elements.flatMap((element, at) => [Buffer.from(at === 0 ? '[' : ','), element]);
  return { status: 200, type: 'application/json', body: [...body, Buffer.from(']')] };
}

/** What some write before UTF-8: JSON has no place for it but the beginning (RFC 8259, section 8.1). */
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** RFC 2046, section 5.1. */
function multipartOf(answers: Collected[]): Whole {
  const boundary = `caravan-${randomBytes(16).toString('hex')}`;
  const parts = answers.flatMap(({ type = 'application/octet-stream', body, error }) => [
    Buffer.from(`--${boundary}\r\nContent-Type: ${error ? 'text/plain; charset=utf-8' : type}\r\n\r\n`, 'latin1'),
    error ? Buffer.from(`${error.message}\n`) : body,
    Buffer.from('\r\n'),
  ]);
  return {
    status: 200,
    type: `multipart/mixed; boundary="${boundary}"`,
    body: [...parts, Buffer.from(`--${boundary}--\r\n`)],
  };
}
