import type { Limits } from './limits.ts';

/** Of what may wait in all: beyond the first nothing is let grow, and where it is too much it is brought down to the second. */
const MUCH = 1 / 2;
const ENOUGH = 7 / 8;

/** Who passes a response on. */
export interface Holder {
  /** The client's address. */
  readonly client: string;
  /** The response is to be given up. `reason`: the end of a sentence. */
  giveUp(reason: string): void;
}

/** What of a response has come from its server, and not gone to its client. */
export class HeldAnswer {
  readonly holder: Holder;
  bytes = 0;
  isOver = false;
  /** Since when nothing has moved, as far as was looked. Milliseconds. */
  stillSince: number | undefined;
  /** Those that have waited for longer, and less long, while it waits. */
  previous: HeldAnswer | undefined;
  next: HeldAnswer | undefined;

  constructor(holder: Holder) {
    this.holder = holder;
  }
}

/**
 * All that waits in a listener for clients that do not read as fast as servers answer. Where it is too much, the client that has most of it
 * loses those that have waited longest; and where nothing moves for long, a response is given up (CVE-2019-9517).
 */
export class HeldAnswers {
  readonly #limits: Limits;
  /** Those of which something waits, in the order in which that began: a chain, since every response comes and goes here. */
  #first: HeldAnswer | undefined;
  #last: HeldAnswer | undefined;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** So much waits that nobody's window should grow. */
  get isMuch(): boolean {
    return this.#bytes > this.#limits.heldBytes * MUCH;
  }

  add(answer: HeldAnswer, bytes: number): void {
    if (answer.isOver || bytes === 0) return;
    if (answer.bytes === 0) this.#append(answer);
    answer.bytes += bytes;
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.heldBytes) this.#shed();
  }

  sent(answer: HeldAnswer, bytes: number): void {
    if (answer.isOver) return;
    answer.bytes -= bytes;
    this.#bytes -= bytes;
    answer.stillSince = undefined;
    if (answer.bytes === 0) this.#remove(answer);
  }

  /** Nothing of it waits any more, whatever became of it. */
  end(answer: HeldAnswer): void {
    if (answer.isOver) return;
    answer.isOver = true;
    this.#bytes -= answer.bytes;
    if (answer.bytes > 0) this.#remove(answer);
  }

  /** Gives up those of which nothing has moved for long. */
  review(now: number): void {
    const { stalledMs } = this.#limits;
    for (const answer of this.#waiting()) {
      answer.stillSince ??= now;
      if (now - answer.stillSince >= stalledMs) this.#drop(answer, `its client took nothing of it for ${stalledMs / 1000} s`);
    }
  }

  #shed(): void {
    const enough = this.#limits.heldBytes * ENOUGH;
    while (this.#bytes > enough) {
      const most = this.#ofClientWithMost();
      let left = most.reduce((sum, { bytes }) => sum + bytes, 0);
      const half = left / 2;
      for (const answer of most) {
        left -= answer.bytes;
        this.#drop(answer, 'its client, of all, lets most wait, and there is no more room');
        if (this.#bytes <= enough || left <= half) break;
      }
    }
  }

  #ofClientWithMost(): HeldAnswer[] {
    const clients = new Map<string, { bytes: number; answers: HeldAnswer[] }>();
    for (const answer of this.#waiting()) {
      const { client } = answer.holder;
      const own = clients.get(client) ?? { bytes: 0, answers: [] };
      clients.set(client, own);
      own.bytes += answer.bytes;
      own.answers.push(answer);
    }
    return [...clients.values()].reduce((most, own) => (own.bytes > most.bytes ? own : most)).answers;
  }

  /** As they are now. */
  #waiting(): HeldAnswer[] {
    const all = [];
    for (let answer = this.#first; answer; answer = answer.next) all.push(answer);
    return all;
  }

  #append(answer: HeldAnswer): void {
    answer.previous = this.#last;
    if (this.#last) this.#last.next = answer;
    else this.#first = answer;
    this.#last = answer;
  }

  #remove(answer: HeldAnswer): void {
    const { previous, next } = answer;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    answer.previous = answer.next = undefined;
  }

  #drop(answer: HeldAnswer, reason: string): void {
    // One that ended with another before it, as the client of both did.
    if (answer.isOver) return;
    this.end(answer);
    answer.holder.giveUp(reason);
  }
}
