import { memoryWithServices, memoryWithStreams } from '../memory.ts';
import type { Curve } from '../row.ts';

export const memoryByStreams = memory('memory-by-streams', 'idle streams', memoryWithStreams);
export const memoryByServices = memory('memory-by-services', 'services in the network', memoryWithServices);

function memory(name: string, x: string, memoryWith: typeof memoryWithStreams): Curve {
  return {
    name,
    title: 'Memory of a router (RSS)',
    x,
    unit: 'MB',
    prepare: (setting, scope) => {
      const counts = setting.quick ? [0, 500] : [0, 1000, 5000, 10_000];
      return Promise.resolve(counts.map((count) => ({ x: count, measure: () => memoryWith(count, setting, scope) })));
    },
  };
}
