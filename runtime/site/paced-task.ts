/** After a run the next one waits so many times as long as it took: a task that costs much never takes more than a fifth of the time. */
const REST_FACTOR = 4;

/**
 * Does something once for many requests: at the end of this turn of the event loop, or later where it was costly the last time. So what
 * follows every change of a large network stays affordable, and is still immediate in a small one.
 */
export class PacedTask {
  readonly #run: () => void;
  #cancel: (() => void) | undefined;
  #restUntil = 0;

  constructor(run: () => void) {
    this.#run = run;
  }

  request(): void {
    if (this.#cancel) return;
    const rest = this.#restUntil - performance.now();
    if (rest <= 0) {
      const immediate = setImmediate(() => this.#start());
      this.#cancel = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(() => this.#start(), rest);
      this.#cancel = () => clearTimeout(timer);
    }
  }

  /** What was requested is not done any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #start(): void {
    this.#cancel = undefined;
    const begun = performance.now();
    try {
      this.#run();
    } finally {
      const end = performance.now();
      this.#restUntil = end + REST_FACTOR * (end - begun);
    }
  }
}
