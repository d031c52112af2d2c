import { idleMemory, memoryWithServices, memoryWithStreams } from '../memory.ts';
import type { Row } from '../row.ts';

const MANY = 10_000;
const MANY_IN_QUICK = 500;

export const routerMemory: Row = {
  name: 'router-memory',
  title: 'Memory of an idle router',
  how: 'resident set, linked to one other router',
  unit: 'MB',
  better: 'less',
  aim: { value: 70 },
  prepare: (setting, scope) => Promise.resolve([{ name: 'caravan', measure: () => idleMemory(setting, scope) }]),
};

export const streamMemory = perPiece('stream-memory', 'Memory of an idle stream', 10, memoryWithStreams);
export const serviceMemory = perPiece('service-memory', 'Memory of a service', 2, memoryWithServices);

function perPiece(name: string, title: string, value: number, memoryWith: typeof memoryWithStreams): Row {
  return {
    name,
    title,
    how: `resident set with ${MANY.toLocaleString('en-US')} of them less that with none; of two routers the larger`,
    unit: 'KB',
    better: 'less',
    aim: { value },
    prepare: (setting, scope) => {
      const count = setting.quick ? MANY_IN_QUICK : MANY;
      const measure = async () => {
        const none = await memoryWith(0, setting, scope);
        return (((await memoryWith(count, setting, scope)) - none) * 1000) / count;
      };
      return Promise.resolve([{ name: 'caravan', measure }]);
    },
  };
}
