import type { ServerSession, Slot } from './server-session.ts';

/** Who is told what came of waiting: one of both, once. */
export interface WaitingEvents {
  placed(slot: Slot): void;
  unplaced(error: Error): void;
}

/** A request that waits for a place at a server. */
export class Waiting {
  /** Its address. */
  readonly client: string;
  readonly events: WaitingEvents;
  /** No place in this session will do. */
  readonly avoided: ServerSession | undefined;
  /** While a first connection is made there is none: that has a time of its own. */
  timer: NodeJS.Timeout | undefined;
  /** Connections that were made meanwhile, and of no use. */
  letDowns = 0;
  /** It wants no place any more, and is told nothing. */
  cancel = (): void => {};

  constructor(client: string, events: WaitingEvents, avoided?: ServerSession) {
    this.client = client;
    this.events = events;
    this.avoided = avoided;
  }
}

/**
 * A line of so many at most, in which each client has a share: their turns come client by client, and where the line is full the client
 * with the most in it loses its last (the longest queue, as RFC 8290 has it for packets). So a client that wants less than an equal share
 * is always let in, whatever others do.
 */
export class WaitingLine {
  readonly #most: number;
  /** In the order of their turns. */
  readonly #clients = new Map<string, Set<Waiting>>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** All of them, as they stand now. */
  get all(): Waiting[] {
    return [...this.#clients.values()].flatMap((own) => [...own]);
  }

  /** Returns the one that has to leave for it, which may be itself; undefined where there is room. */
  add(waiting: Waiting): Waiting | undefined {
    const own = this.#clients.get(waiting.client) ?? new Set();
    let last: Waiting | undefined;
    if (this.#size >= this.#most) {
      const longest = this.#longest();
      // Who would only change places with the other stays outside.
      if (longest === undefined || longest.size <= own.size + 1) return waiting;
      last = [...longest].at(-1)!;
      this.delete(last);
    }
    this.#clients.set(waiting.client, own.add(waiting));
    this.#size++;
    return last;
  }

  delete(waiting: Waiting): void {
    const own = this.#clients.get(waiting.client);
    if (!own?.delete(waiting)) return;
    this.#size--;
    if (own.size === 0) this.#clients.delete(waiting.client);
  }

  /** Whether one of a client that may have a place is as it is `wanted`. */
  has(mayHave: (client: string) => boolean, wanted: (waiting: Waiting) => boolean): boolean {
    for (const [client, own] of this.#clients) if (mayHave(client)) for (const waiting of own) if (wanted(waiting)) return true;
    return false;
  }

  /** Takes out the first of a client that may have a place that has a use for one in this session, and puts its client behind all others. */
  takeFor(session: ServerSession, mayHave: (client: string) => boolean): Waiting | undefined {
    for (const [client, own] of this.#clients) {
      if (!mayHave(client)) continue;
      for (const waiting of own) {
        if (waiting.avoided === session) continue;
        this.delete(waiting);
        if (own.size > 0) {
          this.#clients.delete(client);
          this.#clients.set(client, own);
        }
        return waiting;
      }
    }
    return undefined;
  }

  #longest(): Set<Waiting> | undefined {
    let longest: Set<Waiting> | undefined;
    for (const own of this.#clients.values()) if (longest === undefined || own.size > longest.size) longest = own;
    return longest;
  }
}
