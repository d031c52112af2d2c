import { CURVES, ROWS } from './rows.ts';
import { thisMachine } from './machine.ts';
import { type CurveResult, isSample, judge, type Outcome, type Report, type RowResult } from './report.ts';
import type { Curve, Measure, Prepare, Row, Setting } from './row.ts';
import { Scope } from './scope.ts';
import { sampleOf } from './statistics.ts';
import { figure } from './table.ts';
import { VERSION } from '../../runtime/version.ts';

export interface BenchOptions extends Setting {
  rounds: number;
  /** Names of rows and curves; undefined measures all. */
  only: string[] | undefined;
  /** Everything that is started is started in it. */
  scope: Scope;
  /** Is told what was found, line by line. */
  log: (line: string) => void;
}

/** Runs the bench. What cannot be measured does not end it: its reason stands where its figures would. */
export async function runBench({ rounds, only, scope, log, ...setting }: BenchOptions): Promise<Report> {
  const begun = performance.now();
  const machine = thisMachine();
  const wanted = ({ name }: { name: string }) => only === undefined || only.includes(name);
  const rows: RowResult[] = [];
  for (const row of ROWS.filter(wanted)) {
    const columns = await columnsOf(row, setting, rounds, scope);
    rows.push(judge(row, columns));
    log(`${row.name}: ${said(Object.entries(columns))}`);
  }
  const curves: CurveResult[] = [];
  for (const curve of CURVES.filter(wanted)) {
    const result = await curveOf(curve, setting, rounds, scope);
    curves.push(result);
    log(`${curve.name}: ${result.reason ?? said(result.points.map(({ x, ...outcome }) => [String(x), outcome]))}`);
  }
  return {
    date: new Date().toISOString(),
    version: VERSION,
    machine,
    quick: setting.quick,
    rounds,
    seconds: setting.seconds,
    tookSeconds: Math.round((performance.now() - begun) / 1000),
    rows,
    curves,
  };
}

async function columnsOf(row: Row, setting: Setting, rounds: number, scope: Scope): Promise<Record<string, Outcome>> {
  try {
    const columns = await measured(row.prepare, setting, rounds, scope);
    return Object.fromEntries(columns.map(({ part, outcome }) => [part.name, outcome]));
  } catch (error) {
    return { caravan: { reason: (error as Error).message } };
  }
}

async function curveOf(curve: Curve, setting: Setting, rounds: number, scope: Scope): Promise<CurveResult> {
  const { name, title, x, unit } = curve;
  try {
    const points = await measured(curve.prepare, setting, rounds, scope);
    return { name, title, x, unit, points: points.map(({ part, outcome }) => ({ x: part.x, ...outcome })) };
  } catch (error) {
    return { name, title, x, unit, points: [], reason: (error as Error).message };
  }
}

type Part = { measure: Measure } | { reason: string };

async function measured<P extends Part>(
  prepare: Prepare<P>,
  setting: Setting,
  rounds: number,
  outer: Scope,
): Promise<{ part: P; outcome: Outcome }[]> {
  const scope = outer.use(new Scope());
  try {
    const parts = await prepare(setting, scope);
    const outcomes = await inTurns(parts, rounds);
    return parts.map((part, at) => ({ part, outcome: outcomes[at]! }));
  } finally {
    await scope.stop();
  }
}

/** One measurement of each, then the next round: what the machine does besides meets all of them alike. */
async function inTurns(parts: readonly Part[], rounds: number): Promise<Outcome[]> {
  const values: number[][] = parts.map(() => []);
  const reasons = parts.map((part) => ('reason' in part ? part.reason : undefined));
  for (let round = 0; round < rounds; round++)
    for (const [at, part] of parts.entries())
      if ('measure' in part && reasons[at] === undefined)
        try {
          values[at]!.push(await part.measure());
        } catch (error) {
          reasons[at] = (error as Error).message;
        }
  return values.map((each, at) => {
    const reason = reasons[at];
    return reason === undefined ? sampleOf(each) : { reason };
  });
}

function said(outcomes: [string, Outcome][]): string {
  return outcomes
    .map(([name, outcome]) => `${name} ${isSample(outcome) ? figure(outcome.median) : `– (${outcome.reason})`}`)
    .join(', ');
}
