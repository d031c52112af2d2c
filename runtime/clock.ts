/** What time it is, and what happens later: a test has a clock of its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once, in so many milliseconds, 24 days at most; that keeps no process alive. What comes back calls it off. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
