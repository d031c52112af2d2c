import type { Limits } from './limits.ts';

/** Of what may wait in all: beyond the first nothing is let grow, and where it is too much it is brought down to the second. */
const MUCH = 1 / 2;
const ENOUGH = 7 / 8;

/** Who passes a request and its response on. */
export interface Holder {
  /** The client's address. */
  readonly client: string;
  /** Both are to be given up. `reason`: the end of a sentence. */
  giveUp(reason: string): void;
}

/** What of a request and its response has come from one end, and not gone to the other. */
export class HeldBodies {
  readonly holder: Holder;
  bytes = 0;
  /** Of these, the response's. */
  unreadBytes = 0;
  isOver = false;
  /** Since when the client has taken nothing, as far as was looked. Milliseconds. */
  stillSince: number | undefined;
  /** Those that have waited for longer, and less long, while something waits. */
  previous: HeldBodies | undefined;
  next: HeldBodies | undefined;

  constructor(holder: Holder) {
    this.holder = holder;
  }
}

/**
 * All that waits in a listener for clients that do not read as fast as servers answer, and for servers that do not read as fast as clients ask.
 * Where it is too much, the client that has most of it loses those requests that have waited longest; and where a client takes nothing of a
 * response for long, that is given up (CVE-2019-9517). A server may leave a request waiting for as long as there is room.
 */
export class AllHeldBodies {
  readonly #limits: Limits;
  /** Those of which something waits, in the order in which that began: a chain, since every body comes and goes here. */
  #first: HeldBodies | undefined;
  #last: HeldBodies | undefined;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** So much waits that nobody's window should grow. */
  get isMuch(): boolean {
    return this.#bytes > this.#limits.heldBytes * MUCH;
  }

  /** So many bytes of the response came from the server. */
  answered(held: HeldBodies, bytes: number): void {
    if (held.isOver) return;
    held.unreadBytes += bytes;
    this.asked(held, bytes);
  }

  /** So many of them went to the client. */
  read(held: HeldBodies, bytes: number): void {
    if (held.isOver) return;
    held.unreadBytes -= bytes;
    held.stillSince = undefined;
    this.passed(held, bytes);
  }

  /** So many bytes of the request came from the client. */
  asked(held: HeldBodies, bytes: number): void {
    if (held.isOver || bytes === 0) return;
    if (held.bytes === 0) this.#append(held);
    held.bytes += bytes;
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.heldBytes) this.#shed();
  }

  /** So many of them went to a server. */
  passed(held: HeldBodies, bytes: number): void {
    if (held.isOver || bytes === 0) return;
    held.bytes -= bytes;
    this.#bytes -= bytes;
    if (held.bytes === 0) this.#remove(held);
  }

  /** Nothing of the response waits any more. */
  endResponse(held: HeldBodies): void {
    this.read(held, held.unreadBytes);
  }

  /** Nothing of either waits any more, whatever became of it. */
  end(held: HeldBodies): void {
    if (held.isOver) return;
    this.passed(held, held.bytes);
    held.isOver = true;
  }

  /** Gives up those of whose response nothing has moved for long. */
  review(now: number): void {
    const { stalledMs } = this.#limits;
    for (const held of this.#waiting()) {
      if (held.unreadBytes === 0) continue;
      held.stillSince ??= now;
      if (now - held.stillSince >= stalledMs) this.#drop(held, `its client took nothing of it for ${stalledMs / 1000} s`);
    }
  }

  #shed(): void {
    const enough = this.#limits.heldBytes * ENOUGH;
    while (this.#bytes > enough) {
      const most = this.#ofClientWithMost();
      let left = most.reduce((sum, { bytes }) => sum + bytes, 0);
      const half = left / 2;
      for (const held of most) {
        left -= held.bytes;
        this.#drop(held, 'its client has most of what waits, and there is no more room');
        if (this.#bytes <= enough || left <= half) break;
      }
    }
  }

  #ofClientWithMost(): HeldBodies[] {
    const clients = new Map<string, { bytes: number; bodies: HeldBodies[] }>();
    for (const held of this.#waiting()) {
      const { client } = held.holder;
      const own = clients.get(client) ?? { bytes: 0, bodies: [] };
      clients.set(client, own);
      own.bytes += held.bytes;
      own.bodies.push(held);
    }
    return [...clients.values()].reduce((most, own) => (own.bytes > most.bytes ? own : most)).bodies;
  }

  /** As they are now. */
  #waiting(): HeldBodies[] {
    const all = [];
    for (let held = this.#first; held; held = held.next) all.push(held);
    return all;
  }

  #append(held: HeldBodies): void {
    held.previous = this.#last;
    if (this.#last) this.#last.next = held;
    else this.#first = held;
    this.#last = held;
  }

  #remove(held: HeldBodies): void {
    const { previous, next } = held;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    held.previous = held.next = undefined;
  }

  #drop(held: HeldBodies, reason: string): void {
    // One that ended with another before it, as the client of both did.
    if (held.isOver) return;
    this.end(held);
    held.holder.giveUp(reason);
  }
}
