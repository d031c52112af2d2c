import type { Server } from '../listener.ts';
import type { Call, CallEvents, CallRequest } from './call.ts';
import { Http1Agent } from './http1-agent.ts';
import { Http1Call } from './http1-call.ts';
import type { Limits } from './limits.ts';

/** The servers that speak nothing better than HTTP/1.1, and the connections to them. */
export class Http1Servers {
  readonly #limits: Limits;
  readonly #servers = new Map<string, { agent: Http1Agent; answeredAt: number | undefined }>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether it has answered in HTTP/1.1 lately. */
  isKnown(id: string): boolean {
    const answeredAt = this.#servers.get(id)?.answeredAt;
    return answeredAt !== undefined && performance.now() - answeredAt < this.#limits.rememberHttp1Ms;
  }

  call(server: Server, request: CallRequest, events: CallEvents): Call {
    let known = this.#servers.get(server.id);
    if (!known) {
      known = { agent: new Http1Agent(this.#limits), answeredAt: undefined };
      this.#servers.set(server.id, known);
    }
    const { agent } = known;
    agent.server = server;
    return new Http1Call({ agent, limits: this.#limits }, server, request, events, () => {
      // Not kept up for ever: whoever learns HTTP/2 is asked in it before long.
      if (!this.isKnown(server.id)) known.answeredAt = performance.now();
    });
  }

  /** Forgets whom nobody asked for long. */
  review(): void {
    for (const [id, { agent }] of this.#servers)
      if (!this.isKnown(id) && agent.isIdle) {
        agent.destroy();
        this.#servers.delete(id);
      }
  }

  get isEmpty(): boolean {
    return this.#servers.size === 0;
  }

  /** Ends connections as soon as they are idle. */
  close(): void {
    for (const { agent } of this.#servers.values()) agent.close();
  }
}
