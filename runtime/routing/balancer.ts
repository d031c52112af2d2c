import type { Distribution, RouterId } from './types.ts';

/** A router that could serve a stream. */
export interface Candidate {
  router: RouterId;
  /** Cost of the path there; 0 for this router itself. */
  cost: number;
  /** Servers behind it, at least 1. */
  targets: number;
}

/**
 * Chooses the destination of each stream. It counts what this router itself has outstanding at each destination: that is known at
 * once and exactly, where a count reported by others would be late.
 */
export class Balancer {
  /** address → router → streams that have not ended. */
  readonly #outstanding = new Map<string, Map<RouterId, number>>();
  /** address → router → when it was last chosen, as a running number: ties go to whoever waited longest. */
  readonly #lastChosen = new Map<string, Map<RouterId, number>>();
  #choices = 0;

  /**
   * `balanced`: the fewest outstanding streams a server, plus the path's cost; so equal costs give every server an equal load, and a
   * cost of 1 keeps one more stream a server on the nearer side, whatever the load. `closest`: the least cost. Ties take turns.
   */
  choose<C extends Candidate>(address: string, distribution: Distribution, candidates: readonly C[]): C | undefined {
    const load = distribution === 'closest' ? () => 0 : (at: Candidate) => this.outstanding(address, at.router) / at.targets;
    const chosenAt = this.#lastChosen.get(address);
    let best: C | undefined;
    let bestValue = Infinity;
    for (const candidate of candidates) {
      const value = load(candidate) + candidate.cost;
      if (value > bestValue) continue;
      if (best && value === bestValue && (chosenAt?.get(candidate.router) ?? 0) >= (chosenAt?.get(best.router) ?? 0)) continue;
      best = candidate;
      bestValue = value;
    }
    return best;
  }

  outstanding(address: string, router: RouterId): number {
    return this.#outstanding.get(address)?.get(router) ?? 0;
  }

  started(address: string, router: RouterId): void {
    put(this.#lastChosen, address, router, ++this.#choices);
    put(this.#outstanding, address, router, this.outstanding(address, router) + 1);
  }

  ended(address: string, router: RouterId): void {
    const left = this.outstanding(address, router) - 1;
    if (left > 0) put(this.#outstanding, address, router, left);
    else this.#outstanding.get(address)?.delete(router);
  }

  /** Lets go of an address that nobody asks for here any more; what is outstanding is still counted. */
  forget(address: string): void {
    this.#lastChosen.delete(address);
    if (this.#outstanding.get(address)?.size === 0) this.#outstanding.delete(address);
  }
}

function put(map: Map<string, Map<RouterId, number>>, address: string, router: RouterId, value: number): void {
  const inner = map.get(address);
  if (inner) inner.set(router, value);
  else map.set(address, new Map([[router, value]]));
}
