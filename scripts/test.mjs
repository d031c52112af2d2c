// `npm test`: everything, on a fresh clone. Runs on any Node from 20 on and needs nothing installed: it installs what is missing.
//
//   node scripts/test.mjs [SUITE …]     only these suites: static, unit, simulation, router, bench, package, lab, vscode
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ensureDependencies, projectNode, root } from './dependencies.mjs';

/** Suites in order: what fails soonest comes first. */
const SUITES = {
  static: [
    { name: 'format', command: ['oxfmt', '--check', '.'] },
    { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
    { name: 'types', command: ['tsc'] },
  ],
  unit: [{ name: 'unit', specs: ['{extension,runtime,test/support}/**/*.test.ts'], timeoutMs: 120_000 }],
  simulation: [{ name: 'simulation', specs: ['test/simulation/*.spec.ts'], timeoutMs: 300_000 }],
  router: [{ name: 'router', specs: ['test/router/**/*.spec.ts'], timeoutMs: 300_000 }],
  bench: [{ name: 'bench', specs: ['test/bench/*.spec.ts'], timeoutMs: 600_000 }],
  package: [{ name: 'package', command: [projectNode(), 'scripts/package.mjs', 'test/output/caravan.vsix'] }],
  lab: [{ name: 'lab', specs: ['test/lab/*.spec.ts'], timeoutMs: 1_800_000, withLab: true }],
  vscode: [{ name: 'vscode', specs: ['test/vscode/*.spec.ts'], timeoutMs: 1_800_000, withLab: true }],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0) {
  console.error(`test: there is no suite ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}.`);
  process.exit(2);
}

await ensureDependencies();
const totals = { passed: 0, failed: 0, skipped: 0 };
const started = Date.now();
await step({ name: 'build', command: [projectNode(), 'scripts/build.mjs'] });
for (const [suite, steps] of Object.entries(SUITES))
  if (wanted.length === 0 || wanted.includes(suite)) for (const each of steps) await step(each);
console.log(`\nall of it took ${seconds(started)} s`);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed > 0 ? 1 : 0);

/** Runs a tool, which counts as one test, or a set of specs, which are counted one by one. */
async function step({ name, command, specs, timeoutMs, withLab }) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 60 - name.length))}`);
  const begun = Date.now();
  const before = { ...totals };
  if (command) {
    const [program, ...args] = command;
    const path = existsSync(program) ? program : `${root}/node_modules/.bin/${program}`;
    const { code } = await run(path, args);
    totals[code === 0 ? 'passed' : 'failed']++;
  } else await runSpecs(specs, timeoutMs, withLab);
  const [passed, failed, skipped] = Object.keys(totals).map((key) => totals[key] - before[key]);
  console.log(`── ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds(begun)} s`);
}

/** `withLab`: the two clusters of test/lab run meanwhile, one pair for all spec files. */
async function runSpecs(specs, timeoutMs, withLab) {
  const test = ['--test', '--test-reporter=spec', '--test-concurrency=1', `--test-timeout=${timeoutMs}`, ...specs];
  const args = withLab ? ['test/lab/main.ts', 'with', projectNode(), ...test] : test;
  const { code, output } = await run(projectNode(), args, { CARAVAN_TEST_MAIN: `${root}/dist/caravan.cjs` });
  const count = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const failed = count('fail') + count('cancelled');
  totals.passed += count('pass');
  totals.skipped += count('skipped');
  // A runner that died before it could count has failed all the same.
  totals.failed += code !== 0 && failed === 0 ? 1 : failed;
}

function run(program, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      output += chunk;
    });
    child.on('error', (error) => console.error(`test: ${program} cannot be run: ${error.message}`));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(0);
}
