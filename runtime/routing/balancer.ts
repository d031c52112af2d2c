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

/**
 * Chooses the destination of each stream or request. It counts what this router itself has outstanding at each destination: that is known at
 * once and exactly, where a count reported by others would be late.
 */
export class Balancer {
  /** address → key → streams or requests that have not ended. */
  readonly #outstanding = new Map<string, Map<string, number>>();
  /** address → key → when it was last chosen, as a running number: ties go to whoever waited longest. */
  readonly #lastChosen = new Map<string, Map<string, number>>();
  #choices = 0;

  /**
   * `balanced`: the fewest outstanding streams a server, plus the path's cost; so equal costs give every server an equal load, and a
   * cost of 1 keeps one more stream a server on the nearer side, whatever the load. `closest`: the least cost. Ties take turns.
   */
  choose<C extends Candidate>(address: string, distribution: Distribution, candidates: readonly C[]): C | undefined {
    const load = distribution === 'closest' ? () => 0 : (at: Candidate) => this.outstanding(address, at.key) / at.targets;
    const chosenAt = this.#lastChosen.get(address);
    let best: C | undefined;
    let bestValue = Infinity;
    for (const candidate of candidates) {
      const value = load(candidate) + candidate.cost;
      if (value > bestValue) continue;
      if (best && value === bestValue && (chosenAt?.get(candidate.key) ?? 0) >= (chosenAt?.get(best.key) ?? 0)) continue;
      best = candidate;
      bestValue = value;
    }
    return best;
  }

  outstanding(address: string, key: string): number {
    return this.#outstanding.get(address)?.get(key) ?? 0;
  }

  started(address: string, key: string): void {
    put(this.#lastChosen, address, key, ++this.#choices);
    put(this.#outstanding, address, key, this.outstanding(address, key) + 1);
  }

  ended(address: string, key: string): void {
    const left = this.outstanding(address, key) - 1;
    if (left > 0) put(this.#outstanding, address, key, left);
    else this.#outstanding.get(address)?.delete(key);
  }

  /** Lets go of an address that nobody asks for here any more; what is outstanding is still counted. */
  forget(address: string): void {
    this.#lastChosen.delete(address);
    if (this.#outstanding.get(address)?.size === 0) this.#outstanding.delete(address);
  }
}

function put(map: Map<string, Map<string, number>>, address: string, key: string, value: number): void {
  const inner = map.get(address);
  if (inner) inner.set(key, value);
  else map.set(address, new Map([[key, value]]));
}
