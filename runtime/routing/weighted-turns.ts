/**
 * Takes turns so that each has its share exactly, not by chance: the smooth weighted round robin of nginx, which spreads the turns of each
 * evenly.
 */
export class WeightedTurns {
  readonly #due = new Map<string, number>();

  /** Of those that are there now, the one whose turn it is first, then the others by how much is due to them. */
  next<T extends { key: string; weight: number }>(there: readonly T[]): T[] {
    for (const { key, weight } of there) this.#due.set(key, this.#dueOf(key) + weight);
    const order = there.toSorted((a, b) => this.#dueOf(b.key) - this.#dueOf(a.key));
    const [chosen] = order;
    const total = there.reduce((sum, { weight }) => sum + weight, 0);
    if (chosen) this.#due.set(chosen.key, this.#dueOf(chosen.key) - total);
    return order;
  }

  #dueOf(key: string): number {
    return this.#due.get(key) ?? 0;
  }
}
