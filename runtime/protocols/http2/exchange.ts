import type { Log } from '../../log.ts';
import type { RequestTraits } from '../../routing/request-rule.ts';
import { IDEMPOTENT } from '../http/head.ts';
import type { ClientContext } from '../http/request-handler.ts';
import type { Attempts, Server, Way } from '../listener.ts';
import type { Call, CallEvents, CallRequest } from './call.ts';
import {
  type Failure,
  failureAnswer,
  grpcAnswer,
  grpcTrailers,
  tooLargeRequest,
  tooLargeResponse,
  unreached,
} from './failure.ts';
import { areWithin, field, fieldOf, type Fields, valuesOf } from './field.ts';
import { isGrpc } from './fields.ts';
import { ErrorCode } from './frames.ts';
import { type AllHeldBodies, HeldBodies, type Holder } from './held-bodies.ts';
import type { Http1Servers } from './http1-servers.ts';
import { Http2Call } from './http2-call.ts';
import type { Inbound, InboundEvents } from './inbound.ts';
import type { Limits } from './limits.ts';
import { RequestBody } from './request-body.ts';
import { NotHttp2Error, type ServerSession, type Slot } from './server-session.ts';
import type { ServerSessions } from './server-sessions.ts';
import { Waiting } from './waiting-line.ts';
import { WindowGrowth } from './window-growth.ts';

/** Responses that never have a body, whatever their fields say (RFC 9110, section 6.4.1). */
const BODILESS = new Set(['204', '304']);
const CONTINUE: Fields = [field(':status', '100')];
const NO_SERVER: Failure = { status: 503, reason: 'no server offers it now', untouched: true };

/** What the requests of a listener have in common. */
export interface Exchanging {
  readonly way: Way;
  /** For what clients and servers can cause. */
  readonly log: Log;
  readonly limits: Limits;
  readonly sessions: ServerSessions;
  readonly http1: Http1Servers;
  readonly held: AllHeldBodies;
  /** What clients that speak HTTP/1.1 have in common. */
  readonly http1Clients: ClientContext;
}

/** One request and its response: finds a server, passes both on, and asks the next where that is safe. */
export class Exchange implements InboundEvents, CallEvents, Holder, RequestTraits {
  readonly #inbound: Inbound;
  readonly #context: Exchanging;
  readonly #body: RequestBody;
  readonly #grpc: boolean;
  readonly #attempts: Attempts;
  #attemptsLeft: number;
  /** Whom the request is at, or on its way to. */
  #server: Server | undefined;
  /** This one has been asked on two connections. */
  #isSecond = false;
  /** Where it was asked last, in HTTP/2. */
  #session: ServerSession | undefined;
  /** While it waits for a place there. */
  #waiting: Waiting | undefined;
  #call: Call | undefined;
  readonly #held = new HeldBodies(this);
  readonly #growth: WindowGrowth;
  /** While the server has yet to end what the client has all of. */
  #leaving: NodeJS.Timeout | undefined;
  #isToldToContinue = false;
  #isAnswered = false;
  #isWhole = false;
  #isBodiless = false;

  constructor(inbound: Inbound, context: Exchanging) {
    this.#inbound = inbound;
    this.#context = context;
    this.#body = new RequestBody(context.limits.replayBytes, (bytes) => {
      context.held.passed(this.#held, bytes);
      inbound.taken(bytes);
    });
    this.#growth = inbound.growth ?? new WindowGrowth(context.limits.windowGrowthBytes, () => !context.held.isMuch);
    this.#grpc = isGrpc(inbound.fields);
    this.#attemptsLeft = context.limits.attempts;
    this.#attempts = context.way.attempts(this);
    inbound.events = this;
  }

  start(): void {
    this.#next(NO_SERVER);
  }

  get path(): string {
    return /^[^?]*/.exec(fieldOf(this.#inbound.fields, ':path') ?? '')![0];
  }

  header(name: string): string | undefined {
    const values = valuesOf(this.#inbound.fields, name.toLowerCase());
    return values.length > 0 ? values.join(', ') : undefined;
  }

  get client(): string {
    return this.#inbound.client;
  }

  giveUp(reason: string): void {
    const { way, log } = this.#context;
    log.warn('a request was given up', { address: way.address, reason });
    this.#inbound.reset(ErrorCode.enhanceYourCalm);
    // Of one whose client has all of the response, the server has yet to take the rest.
    this.#call?.cancel(ErrorCode.cancel);
  }

  body(chunk: Buffer): void {
    this.#context.held.asked(this.#held, chunk.length);
    this.#body.add(chunk);
  }

  bodyEnded(trailers: Fields | undefined): void {
    this.#body.end(trailers);
  }

  /** A request of gRPC is let be until it is answered: both ends of its stream may be silent for days. */
  bodyStalled(): void {
    if (this.#isWhole) this.#inbound.letGo();
    if (this.#isAnswered || this.#grpc) return;
    if (this.#waiting) this.#stopWaiting(this.#waiting);
    this.#isAnswered = true;
    const reason = `nothing came of the request’s body for ${this.#context.limits.stalledMs / 1000} s`;
    this.#replace({ status: 408, reason, untouched: false });
  }

  sent(bytes: number): void {
    this.#context.held.read(this.#held, bytes);
    this.#call?.taken(bytes);
  }

  clientClosed(code: number | undefined): void {
    const { held, limits } = this.#context;
    if (this.#waiting) this.#stopWaiting(this.#waiting);
    const call = this.#call;
    if (!call || code !== undefined || !this.#isWhole || (this.#inbound.hasBody && !this.#body.hasEnded)) {
      held.end(this.#held);
      call?.cancel(code ?? ErrorCode.cancel);
      return;
    }
    // A request that came to its end on both sides ends at the server by itself: once that has taken the rest of it, which it may never do.
    held.endResponse(this.#held);
    this.#leaving = setTimeout(() => call.cancel(ErrorCode.cancel), limits.stalledMs);
  }

  informed(fields: Fields): void {
    if (!this.#isToldToContinue || fieldOf(fields, ':status') !== '100') this.#inbound.inform(fields);
  }

  responded(fields: Fields, ended: boolean): void {
    const inbound = this.#inbound;
    this.#body.forget();
    this.#isAnswered = true;
    if (!areWithin(fields, inbound.maxFieldBytes ?? Number.POSITIVE_INFINITY))
      return this.#replace(tooLargeResponse(this.#server!));
    this.#isBodiless = ended || fieldOf(inbound.fields, ':method') === 'HEAD' || BODILESS.has(fieldOf(fields, ':status')!);
    this.#isWhole = this.#isBodiless;
    inbound.respond(fields, this.#isBodiless);
    return undefined;
  }

  answered(chunk: Buffer): void {
    if (this.#isBodiless) {
      this.#call?.cancel(ErrorCode.cancel);
      return;
    }
    this.#context.held.answered(this.#held, chunk.length);
    this.#inbound.write(chunk);
  }

  answerEnded(trailers: Fields | undefined): void {
    this.#isWhole = true;
    if (!this.#isBodiless) this.#inbound.end(trailers);
  }

  asked(bytes: number): void {
    this.#body.sent(bytes);
  }

  callClosed(failure: Failure | undefined): void {
    this.#call = undefined;
    clearTimeout(this.#leaving);
    this.#body.stop();
    if (this.#inbound.isOver) this.#context.held.end(this.#held);
    if (failure && !this.#isAnswered && !this.#inbound.isOver) return this.#failed(failure);
    this.#done();
    if (failure && this.#isAnswered) this.#breakOff(failure);
    else this.#inbound.letGo();
    return undefined;
  }

  /** Asks the next server. `last`: why there is need of one. */
  #next(last: Failure): void {
    const server = this.#attemptsLeft-- > 0 ? this.#attempts.next() : undefined;
    if (!server) return this.#fail(last);
    this.#server = server;
    this.#isSecond = false;
    this.#session = undefined;
    return this.#ask(server);
  }

  #ask(server: Server): void {
    const { sessions, http1 } = this.#context;
    if (!this.#grpc && http1.isKnown(server.id)) return this.#askOverHttp1(server);
    const slot = sessions.take(server, this.client, this.#session);
    if (slot) this.#askOverHttp2(slot, server);
    else this.#wait(server);
    return undefined;
  }

  #wait(server: Server): void {
    const events = {
      placed: (slot: Slot) => {
        this.#waiting = undefined;
        this.#askOverHttp2(slot, server);
      },
      unplaced: (error: Error) => {
        this.#waiting = undefined;
        if (error instanceof NotHttp2Error && !this.#grpc) this.#askOverHttp1(server);
        else this.#failed(unreached(error, server));
      },
    };
    this.#waiting = new Waiting(this.client, events, this.#session);
    this.#context.sessions.wait(server, this.#waiting);
  }

  #stopWaiting(waiting: Waiting): void {
    this.#waiting = undefined;
    waiting.cancel();
    this.#done();
  }

  #askOverHttp2(slot: Slot, server: Server): void {
    this.#session = slot.session;
    this.#tellToContinue();
    if (slot.takes(this.#inbound.fields)) return this.#follow(new Http2Call(slot, server, this.#request, this));
    slot.release();
    return this.#failed(tooLargeRequest(server));
  }

  /**
   * A client of HTTP/1.1 may hold its body back until it is asked for it. That is the server's to do, but of those that speak HTTP/2 many do not
   * (nginx, say), and a client waits for a second then, or for good (RFC 9110, section 10.1.1).
   */
  #tellToContinue(): void {
    if (this.#isToldToContinue || this.#inbound.hasCodes) return;
    if (fieldOf(this.#inbound.fields, 'expect')?.toLowerCase() !== '100-continue') return;
    this.#isToldToContinue = true;
    this.#inbound.inform(CONTINUE);
  }

  #askOverHttp1(server: Server): void {
    let call: Call;
    try {
      call = this.#context.http1.call(server, this.#request, this);
    } catch (error) {
      return this.#failed(unreached(error, server));
    }
    return this.#follow(call);
  }

  #follow(call: Call): void {
    this.#call = call;
    if (this.#inbound.hasBody) this.#body.sendTo(call);
  }

  get #request(): CallRequest {
    const { fields, client, hasBody } = this.#inbound;
    return { fields, ended: !hasBody, client, growth: this.#growth };
  }

  /** The server gave no answer, and the client waits. */
  #failed(failure: Failure): void {
    // One connection that ended does not make a server bad.
    if (failure.onAnother && !this.#isSecond && this.#mayRepeat(failure)) {
      this.#isSecond = true;
      return this.#ask(this.#server!);
    }
    this.#done();
    if (!this.#mayRepeat(failure)) return this.#fail(failure);
    const { way, log } = this.#context;
    log.debug('a request goes to the next server', { address: way.address, reason: failure.reason });
    return this.#next(failure);
  }

  #done(): void {
    this.#server?.done();
    this.#server = undefined;
  }

  #mayRepeat(failure: Failure): boolean {
    if (!this.#body.isKept) return false;
    if (failure.untouched) return true;
    // The server's own word holds for it wherever it goes, except where the connection is what the server means.
    const isLast = failure.code !== undefined && (!failure.onAnother || this.#isSecond);
    return !isLast && IDEMPOTENT.has(fieldOf(this.#inbound.fields, ':method') ?? '');
  }

  /** The client has no answer, and no server has one. */
  #fail(failure: Failure): void {
    const inbound = this.#inbound;
    const { way, log } = this.#context;
    if (inbound.isOver) return;
    log.warn('a request was not answered', { address: way.address, reason: failure.reason });
    if (failure.code !== undefined && inbound.hasCodes) {
      inbound.reset(failure.code, failure.isBlamed);
      return;
    }
    if (this.#grpc) inbound.respond(grpcAnswer(way.address, failure, fieldOf(inbound.fields, 'content-type')!), true);
    else {
      const { fields, text } = failureAnswer(way.address, failure);
      const isBodiless = fieldOf(inbound.fields, ':method') === 'HEAD';
      inbound.respond(fields, isBodiless);
      if (!isBodiless) {
        const body = Buffer.from(text);
        this.#context.held.answered(this.#held, body.length);
        inbound.write(body);
        inbound.end(undefined);
      }
    }
    inbound.letGo();
  }

  /** Whatever the server says is not for this client. */
  #replace(failure: Failure): void {
    this.#isWhole = true;
    this.#call?.cancel(ErrorCode.cancel);
    this.#fail(failure);
  }

  /** The response ends in its midst. */
  #breakOff(failure: Failure): void {
    const inbound = this.#inbound;
    if (inbound.isOver) return;
    // Of a response without a body the client has all, whatever became of it at the server.
    if (this.#isWhole) inbound.letGo();
    else if (this.#grpc && failure.code === undefined) {
      inbound.end(grpcTrailers(this.#context.way.address, failure));
      inbound.letGo();
    } else inbound.reset(failure.code ?? ErrorCode.internal);
  }
}
