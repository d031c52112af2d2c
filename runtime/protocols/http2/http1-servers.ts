import { ServerPool } from '../http/server-pool.ts';
import type { Server } from '../listener.ts';
import type { Call, CallEvents, CallRequest } from './call.ts';
import { FairPlaces } from './fair-places.ts';
import { Http1Call, type Http1Calling } from './http1-call.ts';
import { http1Limits, type Limits } from './limits.ts';

/** The servers that speak nothing better than HTTP/1.1, and the connections to them. */
export class Http1Servers {
  readonly #limits: Limits;
  readonly #pool: ServerPool;
  readonly #servers = new Map<string, Http1Server>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#pool = new ServerPool(http1Limits(limits));
  }

  /** Whether it has answered in HTTP/1.1 lately. */
  isKnown(id: string): boolean {
    return this.#servers.get(id)?.isKnown === true;
  }

  /** Throws where the request cannot pass in HTTP/1.1, and a `StreamError` where too many wait already. */
  call(server: Server, request: CallRequest, events: CallEvents): Call {
    let known = this.#servers.get(server.id);
    if (!known) {
      known = new Http1Server(this.#pool, this.#limits);
      this.#servers.set(server.id, known);
    }
    return new Http1Call(server, request, events, known);
  }

  /** Ends what was idle for long, and forgets whom nobody asked for long. */
  review(now: number): void {
    this.#pool.sweep(now);
    for (const [id, { isKnown, places }] of this.#servers) if (!isKnown && places.isEmpty) this.#servers.delete(id);
  }

  get isEmpty(): boolean {
    return this.#servers.size === 0;
  }

  /** Ends connections as soon as they are idle. */
  close(): void {
    this.#pool.close();
  }
}

class Http1Server implements Http1Calling {
  readonly pool: ServerPool;
  readonly places: FairPlaces;
  readonly limits: Limits;
  #answeredAt: number | undefined;

  constructor(pool: ServerPool, limits: Limits) {
    this.pool = pool;
    this.limits = limits;
    const { http1ConnectionsPerServer: places, waitingPerServer: waiting, waitForServerMs: waitMs } = limits;
    this.places = new FairPlaces({ places, waiting, waitMs });
  }

  get isKnown(): boolean {
    return this.#answeredAt !== undefined && performance.now() - this.#answeredAt < this.limits.rememberHttp1Ms;
  }

  /** Not kept up for ever: whoever learns HTTP/2 is asked in it before long. */
  answered(): void {
    if (!this.isKnown) this.#answeredAt = performance.now();
  }
}
