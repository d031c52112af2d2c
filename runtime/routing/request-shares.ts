import { WeightedTurns } from './weighted-turns.ts';

interface Sharer {
  /** Those that share one weight. */
  group: string;
  weight?: number | undefined;
}

/** Shares of an address' requests by weight. */
export class RequestShares {
  readonly #turns = new Map<string, WeightedTurns>();

  /** The servers whose turn it is: of one group, where any has a weight; else all. */
  turnOf<T extends Sharer>(address: string, servers: readonly T[]): readonly T[] {
    if (servers.every(({ weight }) => weight === undefined)) return servers;
    const groups = new Map(servers.map(({ group: key, weight = 1 }) => [key, { key, weight }]));
    const turns = this.#turns.get(address) ?? new WeightedTurns();
    this.#turns.set(address, turns);
    const [chosen] = turns.next([...groups.values()]);
    return servers.filter(({ group }) => group === chosen!.key);
  }

  forget(address: string): void {
    this.#turns.delete(address);
  }
}
