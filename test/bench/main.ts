// `npm run bench`: measures Caravan beside its peers, prints a table, and writes docs/performance.md.
//
//   --quick            a short form of all of it, in under two minutes: proves that it works
//   --rounds N         how often each is measured; default 5
//   --seconds N        how long each measurement lasts; default 3
//   --only ROW[,ROW]   only these rows and curves
//   --json FILE        writes what was found to a file, too
//   --cpu-prof FOLDER  profiles every router of the run
//
// With --quick or --only, docs/performance.md stays as it is.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Scope } from './scope.ts';

const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});
const { quick, json } = values;
const rounds = wholeNumber('rounds', quick ? 1 : 5);
const seconds = wholeNumber('seconds', quick ? 1 : 3);
if (process.platform !== 'linux') fail('it runs on Linux only: it reads /proc, and its peers are programs of Linux.');

// What users run is what is measured: the bundle, on Node.
if (process.env['CARAVAN_TEST_MAIN'] === undefined) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
  if (status !== 0) fail('the bundles could not be built; what was said stands above.');
  process.env['CARAVAN_TEST_MAIN'] = join(root, 'dist', 'caravan.cjs');
}
if (values['cpu-prof'] !== undefined)
  process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${resolve(values['cpu-prof'])} ${process.env['NODE_OPTIONS'] ?? ''}`;

// Only now: what starts routers reads which one when it is loaded.
const { runBench } = await import('./bench.ts');
const { CURVES, ROWS } = await import('./rows.ts');
const { textTable } = await import('./table.ts');
const { writePerformancePage } = await import('./performance-page.ts');

const only = values.only?.split(',');
const names = [...ROWS, ...CURVES].map(({ name }) => name);
const unknown = only?.filter((name) => !names.includes(name)) ?? [];
if (unknown.length > 0) fail(`there is no ${unknown.join(', ')}; there are ${names.join(', ')}.`);

const scope = new Scope();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    console.error('bench: ends what it started');
    void scope.stop().finally(() => process.exit(130));
  });
try {
  const report = await runBench({ quick, rounds, seconds, only, scope, log: console.log });
  console.log(`\n${textTable(report)}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  if (!quick && only === undefined) console.log(`\nwritten to ${await writePerformancePage(report)}`);
} finally {
  await scope.stop();
}

function wholeNumber(name: 'rounds' | 'seconds', otherwise: number): number {
  const value = Number(values[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) fail(`--${name} takes a whole number from 1 on.`);
  return value;
}

function fail(why: string): never {
  console.error(`bench: ${why}`);
  process.exit(2);
}
