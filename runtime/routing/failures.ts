/** How long a destination that failed stands behind the others: at first, and at most, after it failed again and again. Milliseconds. */
export const FIRST_ASIDE_MS = 5000;
export const MOST_ASIDE_MS = 60_000;

interface Aside {
  until: number;
  ms: number;
}

/**
 * Destinations that did not take what was sent to them: for a while the others come first. Then one more is sent there, to see, and unless that
 * is taken the others come first for twice as long. Load alone would choose them every time: they have none.
 */
export class Failures {
  /** Address → key. */
  readonly #aside = new Map<string, Map<string, Aside>>();

  /** Whether anything of an address failed of late and has not been tried since with success. */
  has(address: string): boolean {
    return this.#aside.has(address);
  }

  isAside(address: string, key: string, now: number): boolean {
    return now < (this.#aside.get(address)?.get(key)?.until ?? 0);
  }

  /** Those that are not set aside; all where all are. */
  ready<C extends { key: string }>(address: string, all: readonly C[], now: number): readonly C[] {
    this.#dropOld(address, now);
    const ready = all.filter(({ key }) => !this.isAside(address, key, now));
    return ready.length > 0 ? ready : all;
  }

  /** Something is sent there. Of one whose time is over the others wait for how that ends. */
  tried(address: string, key: string, now: number): void {
    const aside = this.#aside.get(address)?.get(key);
    if (!aside || now < aside.until) return;
    aside.ms = Math.min(2 * aside.ms, MOST_ASIDE_MS);
    aside.until = now + aside.ms;
  }

  took(address: string, key: string): void {
    const ofAddress = this.#aside.get(address);
    if (ofAddress?.delete(key) && ofAddress.size === 0) this.#aside.delete(address);
  }

  failed(address: string, key: string, now: number): void {
    // The first of an address is the time to look at the others: nobody may ever ask for those again.
    for (const other of this.has(address) ? [address] : this.#aside.keys()) this.#dropOld(other, now);
    const ofAddress = this.#aside.get(address) ?? new Map<string, Aside>();
    this.#aside.set(address, ofAddress);
    const { ms, until } = ofAddress.get(key) ?? { ms: FIRST_ASIDE_MS, until: 0 };
    // Several that began at once fail one after another: that counts once.
    ofAddress.set(key, { ms, until: Math.max(until, now + FIRST_ASIDE_MS) });
  }

  forget(address: string): void {
    this.#aside.delete(address);
  }

  /** Lets go of destinations that have not been tried for long: they are not there any more, or nobody wants the address. */
  #dropOld(address: string, now: number): void {
    const ofAddress = this.#aside.get(address);
    for (const [key, { until }] of ofAddress ?? []) if (now - until > MOST_ASIDE_MS) this.took(address, key);
  }
}
