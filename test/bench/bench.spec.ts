/** `npm run bench -- --quick` from end to end, with every peer that this machine can run. Never a gate on time. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureSystemPackages } from '../../scripts/system-packages.mjs';
import { until } from '../support/until.ts';
import { PROGRAMS } from './programs.ts';
import { isSample, type Report } from './report.ts';
import { CURVES, ROWS } from './rows.ts';

const skip = process.platform !== 'linux' && 'the bench runs on Linux only';

describe('npm run bench', { skip }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'caravan-bench-spec-'));
    try {
      const packages = Object.entries(PROGRAMS).map(([name, { package: from }]) => [name, from]);
      await ensureSystemPackages(Object.fromEntries(packages) as Record<string, string>, console.error);
    } catch (error) {
      // Whoever may not install them gets a bench with fewer columns. On CI all of them are promised.
      if (process.env['CI']) throw error;
      console.error((error as Error).message);
    }
  });
  after(() => rm(folder, { recursive: true }));

  describe('in its short form', () => {
    let run: Run;
    let report: Report;
    before(async () => {
      const json = join(folder, 'report.json');
      run = new Run(folder, '--quick', '--json', json);
      assert.equal(await run.ended, 0, run.output);
      report = JSON.parse(await readFile(json, 'utf8')) as Report;
    });

    it('says where, when and how it measured', () => {
      const { date, version, machine, quick, rounds, seconds, tookSeconds } = report;
      assert.match(date, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.match(version, /^\d+\.\d+\.\d+/);
      assert.deepEqual({ quick, rounds, seconds }, { quick: true, rounds: 1, seconds: 1 });
      assert.ok(tookSeconds > 0);
      assert.ok(machine.cores >= 1 && machine.memoryGiB > 0);
      assert.match(machine.kernel, /^Linux \d/);
      assert.equal(machine.node, process.version);
      assert.deepEqual(Object.keys(machine.programs), Object.keys(PROGRAMS));
    });

    it('has every row and every curve, in order', () => {
      assert.deepEqual(report.rows.map(({ name }) => name), ROWS.map(({ name }) => name)); // prettier-ignore
      assert.deepEqual(report.curves.map(({ name }) => name), CURVES.map(({ name }) => name)); // prettier-ignore
    });

    for (const { name } of ROWS)
      it(`measures Caravan in ${name}, or says why not`, () => {
        const { columns, aim } = report.rows.find((row) => row.name === name)!;
        const own = columns['caravan'];
        if (isSample(own)) {
          assert.ok(own.values.length === 1 && Number.isFinite(own.median), JSON.stringify(own));
          assert.ok(own.min <= own.median && own.median <= own.max);
        } else assert.ok(own !== undefined && own.reason.length > 0, JSON.stringify(columns));
        assert.notEqual(aim.must, '');
        assert.equal(aim.met === null, aim.is === null);
      });

    it('measures every column that has its programs', () => {
      const { programs } = report.machine;
      const failed = report.rows.flatMap(({ name, columns }) =>
        Object.entries(columns).flatMap(([column, outcome]) =>
          isSample(outcome) || isKnown(outcome.reason) ? [] : [`${name}, ${column}: ${outcome.reason}`],
        ),
      );
      const hasAll = Object.values(programs).every((version) => version !== null);
      assert.deepEqual(failed.filter((line) => hasAll || !line.includes(' here: install ')), []); // prettier-ignore
    });

    it('measures every point of every curve', () => {
      for (const { name, points, reason } of report.curves) {
        assert.equal(reason, undefined, name);
        assert.ok(points.length >= 2, name);
        for (const point of points)
          assert.ok(isSample(point) || / here: install /.test(point.reason), `${name}: ${JSON.stringify(point)}`);
      }
    });

    it('prints the table', () => {
      for (const { title } of ROWS) assert.ok(run.output.includes(`\n${title} `), title);
    });

    it('leaves nothing behind: no process, no file', () => run.leftNothing());
  });

  it('ends what it started when it is told to', async () => {
    const run = new Run(folder, '--only', 'tcp-one-stream', '--rounds', '100');
    await until('five of its processes', () => run.processes().length >= 5);
    run.interrupt();
    assert.equal(await run.ended, 130, run.output);
    await run.leftNothing();
  });

  it('says which rows there are when it is asked for another', async () => {
    const run = new Run(folder, '--only', 'tcp-one-stream,lunch');
    assert.equal(await run.ended, 2);
    assert.match(run.output, /there is no lunch; there are tcp-one-stream, /);
  });
});

/** What this version does not carry, and what a peer cannot do. */
function isKnown(reason: string): boolean {
  return reason.startsWith('carries ');
}

/** One run, in a session of its own: whatever it starts is found by that. */
class Run {
  readonly #process: ChildProcess;
  readonly #temporary: string;
  readonly ended: Promise<number | null>;
  output = '';

  constructor(folder: string, ...args: string[]) {
    this.#temporary = mkdtempSync(join(folder, 'run-'));
    this.#process = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      detached: true,
      env: { ...process.env, TMPDIR: this.#temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.on('data', (chunk) => (this.output += String(chunk)));
    this.ended = once(this.#process, 'close').then(([code]) => code as number | null);
  }

  /** Of its session, without the ended ones that nobody has waited for yet. */
  processes(): string[] {
    return readdirSync('/proc').filter((pid) => {
      try {
        // Columns of proc_pid_stat(5) after the name in parentheses: state, parent, process group, session.
        const [state, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
        return session === String(this.#process.pid) && state !== 'Z';
      } catch {
        return false;
      }
    });
  }

  interrupt(): void {
    this.#process.kill('SIGINT');
  }

  async leftNothing(): Promise<void> {
    await until(() => `nothing to run any more: ${this.processes().join(', ')}`, () => this.processes().length === 0); // prettier-ignore
    assert.deepEqual(await readdir(this.#temporary), []);
  }
}
