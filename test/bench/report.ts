import type { Machine } from './machine.ts';
import { PEERS } from './across-peers.ts';
import type { Aim, Row } from './row.ts';
import { ratio, type Sample } from './statistics.ts';

/** What a run has found: what `--json` writes. */
export interface Report {
  /** ISO 8601, in UTC. */
  date: string;
  /** Caravan's. */
  version: string;
  machine: Machine;
  quick: boolean;
  rounds: number;
  /** How long one measurement put load on what it measured. */
  seconds: number;
  /** How long all of it took. */
  tookSeconds: number;
  rows: RowResult[];
  curves: CurveResult[];
}

/** The figures, or why there are none. */
export type Outcome = Sample | { reason: string };

export interface RowResult extends Pick<Row, 'name' | 'title' | 'how' | 'unit' | 'better'> {
  columns: Record<string, Outcome>;
  /** Caravan's figure as so many times that of the HAProxy pair; null where there is none. */
  ratioToHaproxy: number | null;
  aim: AimResult;
}

export interface AimResult {
  /** For people: what Caravan's figure must be. */
  must: string;
  /** So much of another column, or the figure itself; null where it cannot be told. */
  is: number | null;
  met: boolean | null;
}

export interface CurveResult {
  name: string;
  title: string;
  x: string;
  unit: string;
  points: ({ x: number } & Outcome)[];
  /** Why there are no points. */
  reason?: string;
}

export function isSample(outcome: Outcome | undefined): outcome is Sample {
  return outcome !== undefined && 'median' in outcome;
}

/** A row's figures held against what they must be. */
export function judge(row: Row, columns: Record<string, Outcome>): RowResult {
  const { name, title, how, unit, better, aim } = row;
  const is = isFor(aim, columns);
  const bound = 'value' in aim ? aim.value : aim.times;
  const met = is === null ? null : better === 'more' ? is >= bound : is <= bound;
  return {
    name,
    title,
    how,
    unit,
    better,
    columns,
    ratioToHaproxy: times(columns, 'haproxy'),
    aim: { must: mustBe(row), is, met },
  };
}

function isFor(aim: Aim, columns: Record<string, Outcome>): number | null {
  const own = columns['caravan'];
  if ('times' in aim) return times(columns, aim.of);
  return isSample(own) ? own.median : null;
}

function times(columns: Record<string, Outcome>, other: string): number | null {
  const [own, theirs] = [columns['caravan'], columns[other]];
  return isSample(own) && isSample(theirs) ? ratio(own, theirs) : null;
}

function mustBe({ aim, better, unit }: Row): string {
  const bound = better === 'more' ? 'at least' : 'at most';
  if ('value' in aim) return `${bound} ${Math.round(aim.value)} ${unit}`;
  return `${bound} ${aim.times} × ${PEERS.find(({ name }) => name === aim.of)?.title ?? aim.of}`;
}
