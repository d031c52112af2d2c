import type { Distribution } from './types.ts';

/** What could serve a stream or a request. */
export interface Candidate {
  /** Of a router for streams, of one of its servers for requests. */
  key: string;
  /** Cost of the path there; 0 for this router itself. */
  cost: number;
  /** Servers behind it, at least 1. */
  targets: number;
}

/** What is known of one destination of an address. */
interface Load {
  /** Streams or requests that have not ended. */
  outstanding: number;
  /** When it was last chosen, as a running number: ties go to whoever waited longest. */
  chosenAt: number;
}

/** New destinations of an address, at least, before those that have gone are looked for. */
const LEAST_BETWEEN_REVIEWS = 64;

/** What is known of the destinations of one address, by key. */
class Loads extends Map<string, Load> {
  /** Since the beginning: what `chosenAt` counts. */
  choices = 0;
  /** The most destinations that there were to choose from, since the last review. */
  most = 0;
  #reviewAt = LEAST_BETWEEN_REVIEWS;

  /**
   * Lets go of destinations that have nothing to do and were passed over so often that each of those that are there must have had its turn. Where
   * so many are new that it costs each of them next to nothing.
   */
  review(): void {
    if (this.size < this.#reviewAt) return;
    const turns = 2 * this.most;
    for (const [key, { outstanding, chosenAt }] of this)
      if (outstanding === 0 && chosenAt < this.choices - turns) this.delete(key);
    this.#reviewAt = this.size + Math.max(LEAST_BETWEEN_REVIEWS, turns);
    this.most = 0;
  }
}

/**
 * Chooses the destination of each stream or request. It counts what this router itself has outstanding at each destination: that is known at
 * once and exactly, where a count reported by others would be late.
 */
export class Balancer {
  /** Address → key. */
  readonly #loads = new Map<string, Loads>();

  /**
   * `balanced`: the fewest outstanding streams a server, plus the path's cost; so equal costs give every server an equal load, and a
   * cost of 1 keeps one more stream a server on the nearer side, whatever the load. `closest`: the least cost. Ties take turns.
   */
  choose<C extends Candidate>(address: string, distribution: Distribution, candidates: readonly C[]): C | undefined {
    if (candidates.length < 2) return candidates[0];
    const loads = this.#loads.get(address);
    if (loads && candidates.length > loads.most) loads.most = candidates.length;
    let best: C | undefined;
    let bestValue = Infinity;
    let bestChosenAt = 0;
    for (const candidate of candidates) {
      const { outstanding = 0, chosenAt = 0 } = loads?.get(candidate.key) ?? {};
      const value = (distribution === 'closest' ? 0 : outstanding / candidate.targets) + candidate.cost;
      if (value > bestValue || (best && value === bestValue && chosenAt >= bestChosenAt)) continue;
      best = candidate;
      bestValue = value;
      bestChosenAt = chosenAt;
    }
    return best;
  }

  outstanding(address: string, key: string): number {
    return this.#loads.get(address)?.get(key)?.outstanding ?? 0;
  }

  started(address: string, key: string): void {
    let loads = this.#loads.get(address);
    if (!loads) this.#loads.set(address, (loads = new Loads()));
    const load = loads.get(key);
    const chosenAt = ++loads.choices;
    if (!load) {
      loads.review();
      loads.set(key, { outstanding: 1, chosenAt });
    } else {
      load.outstanding++;
      load.chosenAt = chosenAt;
    }
  }

  /** How many destinations of an address it remembers. */
  known(address: string): number {
    return this.#loads.get(address)?.size ?? 0;
  }

  ended(address: string, key: string): void {
    const load = this.#loads.get(address)?.get(key);
    if (load && load.outstanding > 0) load.outstanding--;
  }

  /** Lets go of a destination that does not come back. */
  drop(address: string, key: string): void {
    this.#loads.get(address)?.delete(key);
  }

  /** Lets go of an address that nobody asks for here any more; what is outstanding is still counted. */
  forget(address: string): void {
    const loads = this.#loads.get(address);
    if (!loads) return;
    for (const [key, load] of loads) {
      if (load.outstanding === 0) loads.delete(key);
      else load.chosenAt = 0;
    }
    if (loads.size === 0) this.#loads.delete(address);
  }
}
