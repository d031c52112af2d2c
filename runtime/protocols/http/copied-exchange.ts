import type { Server } from '../listener.ts';
import { SingleExchange } from './single-exchange.ts';
import { FanOutCall } from './fan-out-call.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { RequestHead } from './head.ts';
import { requestBytes } from './passed-heads.ts';
import type { HttpContext, RequestClient, RequestHandler } from './request-handler.ts';

/**
 * One request on its way to one server as any other, and a copy of it, once it is whole, to each who listens in. What those answer is dropped,
 * and neither the client nor the server waits for them: a copy that is too large, or one too many at once, is left out.
 */
export class CopiedExchange implements RequestHandler {
  readonly #exchange: SingleExchange;
  readonly #listening: readonly Server[];
  readonly #head: RequestHead;
  readonly #client: RequestClient;
  readonly #context: HttpContext;
  /** Undefined where there will be no copy. */
  #body: GatheredBytes | undefined;

  /** `listening`: each is done by this. */
  constructor(listening: readonly Server[], head: RequestHead, client: RequestClient, context: HttpContext) {
    this.#exchange = new SingleExchange(head, client, context);
    this.#listening = listening;
    this.#head = head;
    this.#client = client;
    this.#context = context;
    // From the head on: what is gathered takes room as well.
    const hasRoom = context.copies.underWay + listening.length <= context.limits.copies;
    context.copies.underWay += listening.length;
    if (hasRoom) this.#body = new GatheredBytes();
    else this.#leaveOut();
  }

  get hasAnswered(): boolean {
    return this.#exchange.hasAnswered;
  }

  start(): void {
    this.#exchange.start();
  }

  body(piece: Buffer): void {
    this.#exchange.body(piece);
    if (this.#body === undefined) return;
    this.#body.add(piece);
    if (this.#body.size > this.#context.limits.copyBytes) this.#leaveOut();
  }

  ended(): void {
    this.#exchange.ended();
    if (this.#body) this.#send(this.#body.bytes);
    this.#body = undefined;
  }

  drained(): void {
    this.#exchange.drained();
  }

  /** A request that did not come to its end has no copy. */
  cancel(): void {
    this.#exchange.cancel();
    if (this.#body) this.#leaveOut();
  }

  #send(body: Buffer): void {
    const { way, pool, limits, copies } = this.#context;
    const { method, isIdempotent } = this.#head;
    const head = requestBytes(this.#head, this.#client.forwarded, { address: way.address, isWhole: true }, undefined);
    const options = {
      pool,
      request: Buffer.concat([head, body]),
      method,
      isIdempotent,
      freshWithinMs: limits.freshWithinMs,
      answerBytes: undefined,
      budget: { left: 0 },
    };
    for (const server of this.#listening) {
      const call = new FanOutCall(server, options);
      const late = setTimeout(() => call.abandon(new Error('it did not answer in time')), limits.fanOutWithinMs).unref();
      void call.answer.then(({ site, error }) => {
        clearTimeout(late);
        copies.underWay--;
        if (error) this.#context.log.debug('a copy of a request came to nothing', { site, reason: error.message });
      });
    }
  }

  #leaveOut(): void {
    this.#body = undefined;
    this.#context.copies.underWay -= this.#listening.length;
    for (const server of this.#listening) server.done();
  }
}
