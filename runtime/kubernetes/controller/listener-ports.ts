import { FIRST_LISTENER_PORT, LAST_LISTENER_PORT } from '../ports.ts';

/** The router's ports for the Services that point at it: the same for the same port of a Service, as long as anything remembers it. */
export class ListenerPorts {
  /** By `OWNER:PORT`. */
  readonly #ports = new Map<string, number>();
  readonly #taken = new Set<number>();
  /** None below it is free. */
  #next = FIRST_LISTENER_PORT;

  /** What a Service says that it was given, perhaps by an earlier run. */
  note(key: string, port: number | string | undefined): void {
    if (isListenerPort(port)) this.#put(key, Number(port));
  }

  /** Whether an owner's port has this one from here; where nothing of that owner is remembered, whether it may have. */
  isGiven(owner: string, ownPort: number, port: number | string | undefined): boolean {
    if (!isListenerPort(port)) return false;
    const known = this.#ports.get(`${owner}:${ownPort}`);
    return known === undefined ? ![...this.#ports.keys()].some((key) => ownerOf(key) === owner) : known === Number(port);
  }

  give(key: string): number {
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    while (this.#taken.has(this.#next)) this.#next++;
    this.#put(key, this.#next);
    return this.#next;
  }

  /** Forgets those of other owners. */
  keep(isThere: (owner: string) => boolean): void {
    for (const [key, port] of this.#ports) {
      if (isThere(ownerOf(key))) continue;
      this.#ports.delete(key);
      this.#taken.delete(port);
      this.#next = FIRST_LISTENER_PORT;
    }
  }

  #put(key: string, port: number): void {
    this.#ports.set(key, port);
    this.#taken.add(port);
  }
}

function ownerOf(key: string): string {
  return key.slice(0, key.lastIndexOf(':'));
}

function isListenerPort(port: number | string | undefined): boolean {
  return Number(port) >= FIRST_LISTENER_PORT && Number(port) <= LAST_LISTENER_PORT;
}
