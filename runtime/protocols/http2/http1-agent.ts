import { Agent, type ClientRequest } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server } from '../listener.ts';
import type { Limits } from './limits.ts';

/** What Node's agent calls on a kept connection, and a stream through the network does not have. */
const SOCKET_METHODS = { setKeepAlive() {}, setTimeout() {}, ref() {}, unref() {} };

/** The connections to one server that speaks HTTP/1.1, kept from request to request. */
export class Http1Agent extends Agent {
  /** Who connects: the server as it was last given out. */
  server: Server | undefined;
  readonly #idleMs: number;
  readonly #timers = new WeakMap<Duplex, NodeJS.Timeout>();
  #closed = false;

  constructor(limits: Limits) {
    super({ keepAlive: true, maxSockets: limits.http1ConnectionsPerServer });
    this.#idleMs = limits.serverIdleMs;
  }

  override createConnection(_options: unknown, connected?: (error: Error | null, connection: Duplex) => void): undefined {
    void this.server!.connect().then(
      (connection) => {
        connection.on('error', () => {});
        if (!(connection instanceof Socket)) Object.assign(connection, SOCKET_METHODS);
        // Later than Node's own listener: what ends with the connection is whole by then. A kept connection has no such listener.
        connection.once('end', () => setImmediate(() => connection.destroy()));
        connected?.(null, connection);
      },
      (error: unknown) => connected?.(error as Error, undefined as unknown as Duplex),
    );
  }

  override keepSocketAlive(connection: Duplex): boolean {
    // Its type hides that it may say no.
    if (this.#closed || (super.keepSocketAlive(connection) as unknown) === false) return false;
    clearTimeout(this.#timers.get(connection));
    this.#timers.set(connection, setTimeout(() => connection.destroy(), this.#idleMs).unref());
    return true;
  }

  override reuseSocket(connection: Duplex, request: ClientRequest): void {
    super.reuseSocket(connection, request);
    clearTimeout(this.#timers.get(connection));
  }

  get isIdle(): boolean {
    return [this.sockets, this.freeSockets, this.requests].every((each) => Object.keys(each).length === 0);
  }

  /** Ends connections that are idle, and the others when they are. */
  close(): void {
    this.#closed = true;
    for (const connection of Object.values(this.freeSockets).flat()) connection?.destroy();
  }
}
