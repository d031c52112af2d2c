import { randomBytes } from 'node:crypto';
import type { FanOut, Server } from '../listener.ts';
import { type Collected, FanOutCall } from './fan-out-call.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { RequestHead } from './head.ts';
import { noAnswer } from './no-answer.ts';
import { ownAnswer } from './own-answer.ts';
import { requestBytes } from './passed-heads.ts';
import type { HttpContext, RequestClient, RequestHandler } from './request-handler.ts';

const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');

/** One request on its way to all servers, and what is made of their answers. */
export class FanOutExchange implements RequestHandler {
  readonly #kind: FanOut;
  readonly #head: RequestHead;
  readonly #client: RequestClient;
  readonly #context: HttpContext;
  readonly #body = new GrowingBuffer();
  #hasStarted = false;
  #requestEnded = false;
  #isOver = false;
  #calls: FanOutCall[] = [];

  constructor(kind: FanOut, head: RequestHead, client: RequestClient, context: HttpContext) {
    this.#kind = kind;
    this.#head = head;
    this.#client = client;
    this.#context = context;
  }

  readonly hasAnswered = false;

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

  drained(): void {}

  cancel(): void {
    this.#isOver = true;
    for (const call of this.#calls) call.abandon(new Error('the client has gone'));
  }

  #bound(bytes: number): void {
    const { fanOutRequestBytes } = this.#context.limits;
    if (bytes <= fanOutRequestBytes) return;
    this.#refuse(413, `a request to all servers may have ${fanOutRequestBytes} bytes`);
  }

  async #send(): Promise<void> {
    const { way, pool, limits } = this.#context;
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
      budget: { left: limits.fanOutBytes },
    };
    this.#calls = servers.map((server) => new FanOutCall(server, options));
    const late = new Error(`there was no answer (${limits.fanOutWithinMs / 1000} s)`);
    const timer = setTimeout(() => {
      for (const call of this.#calls) call.abandon(late);
    }, limits.fanOutWithinMs).unref();
    const answers = Promise.all(this.#calls.map(({ answer }) => answer)).finally(() => clearTimeout(timer));
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

  #answer(answer: { status: number; type?: string; body?: Buffer | string }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { minor, method, persists } = this.#head;
    const closes = !persists || this.#context.isClosing;
    this.#client.write(ownAnswer({ ...answer, minor, method, closes }));
    this.#client.finished(closes);
  }

  #refuse(status: number, what: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.refuse(status, `${this.#context.way.address}: ${what}`);
  }
}

interface Whole {
  status: number;
  type: string;
  body: Buffer | string;
}

/** An array of the answers as they are: numbers that JavaScript cannot hold stay what they were. */
function jsonOf(answers: Collected[]): Whole {
  const elements = answers.map(({ site, body, error }) => {
    if (error) return JSON.stringify({ error: error.message, site });
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
      JSON.parse(text);
      return text;
    } catch {
      return JSON.stringify({ error: `${site} answered something that is not JSON`, site });
    }
  });
  return { status: 200, type: 'application/json', body: `[${elements.join(',')}]` };
}

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
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  };
}
