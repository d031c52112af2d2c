/** Several addresses behind one listener: which of them a client is sent to. As Skupper's MultiKeyListener. */
export type AddressChoice =
  /** The first that is offered anywhere; the next when it is not. */
  | { strategy: 'priority'; addresses: string[] }
  /** Shares of the clients, among those that are offered. A weight is a whole number from 1 on. */
  | { strategy: 'weighted'; weights: Readonly<Record<string, number>> };

export function addressesOf(choice: AddressChoice): string[] {
  return choice.strategy === 'priority' ? choice.addresses : Object.keys(choice.weights);
}

/**
 * Orders addresses for one client after another. Weighted shares are kept exactly, not by chance: the smooth weighted round robin of
 * nginx, which spreads the turns of each address evenly.
 */
export class AddressTurns {
  readonly #choice: AddressChoice;
  readonly #due = new Map<string, number>();

  constructor(choice: AddressChoice) {
    this.#choice = choice;
  }

  /** The addresses to try for the next client, best first: those that are not offered are left out. */
  next(isOffered: (address: string) => boolean): string[] {
    const offered = addressesOf(this.#choice).filter(isOffered);
    if (this.#choice.strategy === 'priority') return offered;
    const { weights } = this.#choice;
    const weightOf = (address: string) => weights[address] ?? 0;
    for (const address of offered) this.#due.set(address, this.#dueOf(address) + weightOf(address));
    const order = offered.toSorted((a, b) => this.#dueOf(b) - this.#dueOf(a));
    const [chosen] = order;
    if (chosen !== undefined)
      this.#due.set(chosen, this.#dueOf(chosen) - offered.reduce((sum, address) => sum + weightOf(address), 0));
    return order;
  }

  #dueOf(address: string): number {
    return this.#due.get(address) ?? 0;
  }
}
