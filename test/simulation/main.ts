// `npm run simulate -- --seeds N --from S`: runs networks from seeds and says which ones broke an invariant.
// `npm run simulate -- --scale routers|edges|addresses`: measures one large network.
import { parseArgs } from 'node:util';
import { SCALES } from './scale.ts';
import { runScenario } from './scenario.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' }, scale: { type: 'string' } },
});
if (values.scale !== undefined) {
  if (!Object.hasOwn(SCALES, values.scale)) {
    console.error(`simulate: --scale takes ${Object.keys(SCALES).join(' or ')}.`);
    process.exit(2);
  }
  SCALES[values.scale as keyof typeof SCALES]();
  process.exit(0);
}
const [seeds, from] = [Number(values.seeds), Number(values.from)];
if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from) || from < 0) {
  console.error('simulate: --seeds takes a whole number from 1 on, --from one from 0 on.');
  process.exit(2);
}
const begun = performance.now();
let failed = 0;
let messages = 0;
for (let seed = from; seed < from + seeds; seed++)
  try {
    messages += runScenario(seed).messages;
  } catch (error) {
    failed++;
    console.log(`seed ${seed}: ${(error as Error).message}`);
    console.log(`  again: npm run simulate -- --seeds 1 --from ${seed}`);
  }
const seconds = (performance.now() - begun) / 1000;
console.log(`${seeds} networks in ${seconds.toFixed(1)} s, ${Math.round(messages / seeds)} messages each`);
console.log(`${seeds - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
