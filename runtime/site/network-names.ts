import type { NamedService, NetworkNames } from '../protocols/proxy/destination.ts';
import type { RoutingEngine } from '../routing/engine.ts';

/** The names of the network as this router's tables have them now. What costs a look at every address is kept until they change. */
export class RoutedNames implements NetworkNames {
  readonly #engine: RoutingEngine;
  /** By their lower case: names of hosts have no case. */
  #addresses: Map<string, string> | undefined;
  #namespaces: Set<string> | undefined;

  constructor(engine: RoutingEngine) {
    this.#engine = engine;
  }

  /** Paths or services have changed. */
  forget(): void {
    this.#addresses = undefined;
    this.#namespaces = undefined;
  }

  service(name: string): NamedService | undefined {
    // Of two that differ in case alone the one that comes first in the alphabet is meant, whoever asks.
    this.#addresses ??= new Map(
      this.#engine
        .addresses()
        .sort()
        .reverse()
        .map((address) => [address.toLowerCase(), address]),
    );
    const address = this.#addresses.get(name);
    const offers = address === undefined ? [] : this.#engine.offersOf(address);
    // As the list of services tells it: what can be reached counts, else what is known of it.
    const reachable = offers.filter(({ cost }) => cost !== undefined);
    const told = reachable.length > 0 ? reachable : offers;
    if (address === undefined || !told[0]) return undefined;
    const ports = told.flatMap(({ offer }) => offer.ports.map(({ port }) => port));
    return { address, type: told[0].offer.type, ports: [...new Set(ports)].sort((a, b) => a - b) };
  }

  hasNamespace(name: string): boolean {
    this.#namespaces ??= new Set(this.#engine.routers().flatMap(({ namespace }) => (namespace ? [namespace] : [])));
    return this.#namespaces.has(name);
  }
}
