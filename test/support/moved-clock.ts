import type { Clock } from '../../runtime/clock.ts';

export const DAY_MS = 86_400_000;

/** A clock that a test moves. OpenSSL has the system's: what is made by this one is good for TLS as long as its life reaches to today. */
export class MovedClock implements Clock {
  readonly #timers = new Map<object, { at: number; run: () => void }>();
  #now: number;

  /** @param ahead of the system's, in days; below 0 behind it */
  constructor(ahead = 0) {
    this.#now = Date.now() + ahead * DAY_MS;
  }

  now(): number {
    return this.#now;
  }

  /** What waits to be run. */
  get timers(): number {
    return this.#timers.size;
  }

  after(ms: number, run: () => void): () => void {
    const key = {};
    this.#timers.set(key, { at: this.#now + ms, run });
    return () => void this.#timers.delete(key);
  }

  /** Runs what is due then, once each: what that puts off is run by the next call. */
  pass(ms: number): void {
    this.#now += ms;
    const due = [...this.#timers].filter(([, { at }]) => at <= this.#now);
    for (const [key] of due) this.#timers.delete(key);
    for (const [, { run }] of due) run();
  }
}
