/** Runs works of which at most `count` are under way at a time; the others wait in the order of their calls. */
export function atMost(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // The place goes on to the next one, uncounted.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
