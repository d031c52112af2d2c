import { WeightedTurns } from './weighted-turns.ts';

/** Several addresses behind one listener: which of them a client is sent to. As Skupper's MultiKeyListener. */
export type AddressChoice =
  /** The first that is offered anywhere; the next when it is not. */
  | { strategy: 'priority'; addresses: string[] }
  /** Shares of the clients, among those that are offered. A weight is a whole number from 1 on. */
  | { strategy: 'weighted'; weights: Readonly<Record<string, number>> };

export function addressesOf(choice: AddressChoice): string[] {
  return choice.strategy === 'priority' ? choice.addresses : Object.keys(choice.weights);
}

/** Orders addresses for one client after another. */
export class AddressTurns {
  readonly #choice: AddressChoice;
  readonly #turns = new WeightedTurns();

  constructor(choice: AddressChoice) {
    this.#choice = choice;
  }

  /** The addresses to try for the next client, best first: those that are not offered are left out. */
  next(isOffered: (address: string) => boolean): string[] {
    const offered = addressesOf(this.#choice).filter(isOffered);
    if (this.#choice.strategy === 'priority') return offered;
    const { weights } = this.#choice;
    return this.#turns.next(offered.map((key) => ({ key, weight: weights[key] ?? 0 }))).map(({ key }) => key);
  }
}
