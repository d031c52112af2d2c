/** Counts what somebody does, and says when it is more than so many times in any one second. */
export class FloodGate {
  readonly #most: number;
  #since = 0;
  #count = 0;

  constructor(perSecond: number) {
    this.#most = perSecond;
  }

  /** Once more. Returns false from the moment that it is too often. */
  pass(now = performance.now()): boolean {
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#count = 0;
    }
    return ++this.#count <= this.#most;
  }
}
