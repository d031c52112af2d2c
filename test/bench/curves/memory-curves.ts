import { memoryWithServices, memoryWithStreams } from '../memory.ts';
import type { Curve } from '../row.ts';
import type { Scope } from '../scope.ts';

export const memoryByStreams = memory('memory-by-streams', 'idle streams', memoryWithStreams);
export const memoryByServices = memory('memory-by-services', 'services in the network', memoryWithServices);

function memory(name: string, x: string, memoryWith: (count: number, scope: Scope) => Promise<number>): Curve {
  return {
    name,
    title: 'Memory of a router (RSS)',
    x,
    unit: 'MB',
    prepare: ({ quick }, scope) => {
      const counts = quick ? [0, 500] : [0, 1000, 5000, 10_000];
      return Promise.resolve(counts.map((count) => ({ x: count, measure: () => memoryWith(count, scope) })));
    },
  };
}
