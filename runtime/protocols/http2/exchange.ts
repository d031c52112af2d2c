import { constants } from 'node:http2';
import type { Readable } from 'node:stream';
import { sentence } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Server, Way } from '../listener.ts';
import type { Call, CallEvents } from './call.ts';
import { type Failure, grpcAnswer, grpcTrailers, plainAnswer, unreached } from './failure.ts';
import { fieldOf, type Fields, isGrpc } from './fields.ts';
import type { Http1Servers } from './http1-servers.ts';
import { Http2Call } from './http2-call.ts';
import type { Inbound } from './inbound.ts';
import type { Limits } from './limits.ts';
import { relay } from './relay.ts';
import { RequestBody } from './request-body.ts';
import { NotHttp2Error, type Slot } from './server-session.ts';
import type { ServerSessions } from './server-sessions.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = constants;

/** May be repeated without harm (RFC 9110, section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Responses that never have a body, whatever their fields say (RFC 9110, section 6.4.1). */
const BODILESS = new Set(['204', '304']);

/** What the requests of a listener have in common. */
export interface Exchanging {
  readonly way: Way;
  /** For what clients and servers can cause. */
  readonly log: Log;
  readonly limits: Limits;
  readonly sessions: ServerSessions;
  readonly http1: Http1Servers;
}

/** One request and its response: finds a server, passes both on, and asks the next where that is safe. */
export class Exchange {
  readonly #inbound: Inbound;
  readonly #context: Exchanging;
  readonly #body: RequestBody;
  readonly #grpc: boolean;
  #call: Call | undefined;
  #isAnswered = false;
  #isWhole = false;

  constructor(inbound: Inbound, context: Exchanging) {
    this.#inbound = inbound;
    this.#context = context;
    this.#body = new RequestBody(inbound.body, context.limits.replayBytes, () => inbound.trailers());
    this.#grpc = isGrpc(inbound.fields);
    inbound.onClose((code) => {
      // A request that came to its end on both sides ends at the server by itself.
      if (code !== undefined || !this.#isWhole) this.#call?.cancel(code ?? NGHTTP2_CANCEL);
    });
  }

  /** Resolves when nothing more is to be done for the request. */
  async run(): Promise<void> {
    const { way, log, limits } = this.#context;
    const { fields } = this.#inbound;
    const attempts = way.attempts({
      path: fieldOf(fields, ':path') ?? '',
      header: (name) => fieldOf(fields, name.toLowerCase()),
    });
    let last: Failure = { status: 503, reason: 'no server offers it now', untouched: true };
    for (let left = limits.attempts; left > 0; left--) {
      const server = attempts.next();
      if (!server) break;
      const failure = await this.#ask(server);
      if (!failure) return;
      last = failure;
      if (!this.#mayRepeat(failure)) break;
      log.debug('a request goes to the next server', { address: way.address, reason: failure.reason });
    }
    this.#fail(last);
  }

  /** Resolves to nothing once all is said and done, and to a failure where the client has no answer yet. */
  async #ask(server: Server): Promise<Failure | undefined> {
    try {
      const failure = await this.#askOnce(server);
      // One connection that ended does not make a server bad.
      if (failure?.onAnother && this.#mayRepeat(failure)) return await this.#askOnce(server);
      return failure;
    } finally {
      server.done();
    }
  }

  async #askOnce(server: Server): Promise<Failure | undefined> {
    const { sessions, http1 } = this.#context;
    if (!this.#grpc && http1.isKnown(server.id)) return this.#callOverHttp1(server);
    let slot: Slot;
    try {
      slot = sessions.take(server) ?? (await sessions.wait(server));
    } catch (error) {
      if (error instanceof NotHttp2Error && !this.#grpc) return this.#callOverHttp1(server);
      return unreached(error, server);
    }
    if (this.#inbound.isOver) {
      slot.release();
      return undefined;
    }
    return this.#follow((events) => new Http2Call(slot, server, this.#request, events), server);
  }

  #callOverHttp1(server: Server): Promise<Failure | undefined> {
    if (this.#inbound.isOver) return Promise.resolve(undefined);
    return this.#follow((events) => this.#context.http1.call(server, this.#request, events), server);
  }

  get #request(): { fields: Fields; ended: boolean } {
    return { fields: this.#inbound.fields, ended: !this.#inbound.hasBody };
  }

  /** Makes the call, and passes on what comes of it. */
  #follow(make: (events: CallEvents) => Call, server: Server): Promise<Failure | undefined> {
    const inbound = this.#inbound;
    return new Promise((resolve) => {
      const events: CallEvents = {
        informed: (fields) => inbound.inform(fields),
        responded: (fields, ended, body) => this.#respond(fields, ended, body),
        ended: (trailers) => {
          this.#isWhole = true;
          inbound.end(trailers);
        },
        closed: (failure) => {
          this.#call = undefined;
          this.#body.stop();
          if (failure && !this.#isAnswered) return resolve(inbound.isOver ? undefined : failure);
          if (failure) this.#breakOff(failure);
          else inbound.letGo();
          return resolve(undefined);
        },
      };
      try {
        this.#call = make(events);
      } catch (error) {
        // node:http2 found something in it that it does not send.
        return resolve({
          status: 502,
          reason: `at ${server.site}, ${server.target} cannot be asked: ${sentence(error)}`,
          untouched: true,
        });
      }
      if (inbound.hasBody) this.#body.sendTo(this.#call);
      return undefined;
    });
  }

  #respond(fields: Fields, ended: boolean, body: Readable): void {
    const inbound = this.#inbound;
    this.#body.forget();
    this.#isAnswered = true;
    const bodiless = ended || fieldOf(inbound.fields, ':method') === 'HEAD' || BODILESS.has(String(fields[':status']));
    try {
      inbound.respond(fields, bodiless);
    } catch (error) {
      const { way, log } = this.#context;
      log.warn('a response could not be passed on', { address: way.address, error });
      inbound.reset(NGHTTP2_INTERNAL_ERROR);
    }
    if (bodiless) body.resume();
    else relay(body, inbound.sink);
  }

  #mayRepeat(failure: Failure): boolean {
    if (this.#isAnswered || this.#inbound.isOver || !this.#body.isKept) return false;
    return failure.untouched || (failure.code === undefined && IDEMPOTENT.has(fieldOf(this.#inbound.fields, ':method') ?? ''));
  }

  /** The client has no answer, and no server has one. */
  #fail(failure: Failure): void {
    const inbound = this.#inbound;
    const { way, log } = this.#context;
    if (inbound.isOver) return;
    log.warn('a request was not answered', { address: way.address, reason: failure.reason });
    if (failure.code !== undefined && inbound.hasCodes) return inbound.reset(failure.code);
    if (this.#grpc) inbound.respond(grpcAnswer(way.address, failure, fieldOf(inbound.fields, 'content-type')!), true);
    else {
      const { fields, text } = plainAnswer(way.address, failure);
      const bodiless = fieldOf(inbound.fields, ':method') === 'HEAD';
      inbound.respond(fields, bodiless);
      if (!bodiless) {
        inbound.sink.write(text);
        inbound.end(undefined);
      }
    }
    return inbound.letGo();
  }

  /** The response ends in its midst. */
  #breakOff(failure: Failure): void {
    const inbound = this.#inbound;
    if (inbound.isOver || this.#isWhole) return;
    if (this.#grpc && failure.code === undefined) {
      inbound.end(grpcTrailers(this.#context.way.address, failure));
      inbound.letGo();
    } else inbound.reset(failure.code ?? NGHTTP2_INTERNAL_ERROR);
  }
}
