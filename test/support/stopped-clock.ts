import type { TestContext } from 'node:test';

/** Stops the clock for a test. What comes back lets so many milliseconds pass, and intervals of `everyMs` come round once. */
export function stoppedClock({ mock }: TestContext, everyMs: number): (ms: number) => void {
  mock.timers.enable({ apis: ['setInterval'] });
  const start = performance.now();
  let passed = 0;
  mock.method(performance, 'now', () => start + passed);
  return (ms) => {
    passed += ms;
    mock.timers.tick(everyMs);
  };
}
