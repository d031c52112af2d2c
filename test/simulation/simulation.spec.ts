import { describe, it } from 'node:test';
import { runScenario } from './scenario.ts';

/** Together 2,000 networks; `npm run simulate` runs any others. */
const SEEDS_PER_TEST = 250;
const TESTS = 8;

describe('networks from seeds, after a minute of faults and a minute of quiet', () => {
  for (let test = 0; test < TESTS; test++) {
    const from = test * SEEDS_PER_TEST + 1;
    it(`keep every invariant: seeds ${from} to ${from + SEEDS_PER_TEST - 1}`, () => {
      for (let seed = from; seed < from + SEEDS_PER_TEST; seed++)
        try {
          runScenario(seed);
        } catch (error) {
          throw new Error(`seed ${seed}; again: npm run simulate -- --seeds 1 --from ${seed}`, { cause: error });
        }
    });
  }
});
