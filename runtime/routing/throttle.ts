/** Between two announcements of a router that is otherwise calm, and of one whose links keep flapping. Milliseconds. */
export const LEAST_HOLD_MS = 50;
export const MOST_HOLD_MS = 5000;

/**
 * Slows down what changes too often. The first change is announced at once; further ones wait, twice as long each time while they keep
 * coming, and are announced together. As the throttling of link state advertisements in OSPF routers.
 */
export class Throttle {
  #hold = 0;
  #last = -Infinity;
  #waits = false;

  /** Whether changes have kept coming for so long that they wait as long as they ever do. */
  get isStrained(): boolean {
    return this.#hold === MOST_HOLD_MS;
  }

  /** Something changed: whether to announce it now. If not, `isDue` says when. */
  request(now: number): boolean {
    this.#waits = true;
    return this.isDue(now);
  }

  /** Whether something waits and its time has come; it counts as announced then. */
  isDue(now: number): boolean {
    // A clock that was set back must not hold an announcement for hours.
    const passed = now < this.#last ? Infinity : now - this.#last;
    if (!this.#waits || passed < this.#hold) return false;
    const keepsComing = passed <= 2 * Math.max(this.#hold, LEAST_HOLD_MS);
    this.#hold = keepsComing ? Math.min(Math.max(2 * this.#hold, LEAST_HOLD_MS), MOST_HOLD_MS) : LEAST_HOLD_MS;
    this.#last = now;
    this.#waits = false;
    return true;
  }
}
