import type { HttpLimits } from './limits.ts';
import type { Server } from '../listener.ts';
import { ServerConnection } from './server-connection.ts';

/** The connections to servers that wait for their next request, by server. */
export class ServerPool {
  readonly #limits: HttpLimits;
  /** The last one is the one that was used last. */
  readonly #idle = new Map<string, ServerConnection[]>();
  #count = 0;
  #isClosed = false;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#count;
  }

  /** An idle connection to the server, used within the last milliseconds that are given. */
  take(serverId: string, withinMs: number): ServerConnection | undefined {
    const idle = this.#idle.get(serverId);
    const last = idle?.at(-1);
    if (last === undefined) return undefined;
    if (performance.now() - last.idleSince > Math.min(withinMs, last.idleMs)) return undefined;
    idle!.pop();
    this.#count--;
    return last;
  }

  /** A new connection. Rejects as `Server.connect` does. */
  async connect(server: Server): Promise<ServerConnection> {
    return new ServerConnection(server, await server.connect(), this.#limits, (gone) => this.#drop(gone));
  }

  /** Takes a connection back after its request. */
  give(connection: ServerConnection): void {
    if (connection.isOver) return;
    const { idlePerServer, idleConnections } = this.#limits;
    const now = performance.now();
    const isKept = connection.persists && now < connection.oldAt && !this.#isClosed;
    let idle = this.#idle.get(connection.server.id);
    if (!isKept || this.#count >= idleConnections || (idle?.length ?? 0) >= idlePerServer) {
      connection.retire();
      return;
    }
    if (idle === undefined) this.#idle.set(connection.server.id, (idle = []));
    connection.release();
    connection.idleSince = now;
    idle.push(connection);
    this.#count++;
  }

  /** Ends what is idle at one server. */
  endIdle(serverId: string): void {
    for (const connection of this.#idle.get(serverId)?.slice() ?? []) connection.retire();
  }

  /** Ends those that were idle for too long, and those whose server is not offered any more: a site that ends waits for what leads to it. */
  sweep(now: number): void {
    for (const [id, idle] of this.#idle) {
      for (const old of idle.filter((each) => now - each.idleSince > each.idleMs || !each.server.isOffered)) old.retire();
      if (idle.length === 0) this.#idle.delete(id);
    }
  }

  /** Ends what is idle, and keeps nothing from here on. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#idle.values()].flat()) connection.retire();
  }

  #drop(connection: ServerConnection): void {
    const idle = this.#idle.get(connection.server.id);
    const at = idle?.indexOf(connection) ?? -1;
    if (at === -1) return;
    idle!.splice(at, 1);
    this.#count--;
  }
}
