/** What the bench measures: rows of the table and curves of the plots. */
import type { Scope } from './scope.ts';

/** How thoroughly this run measures. */
export interface Setting {
  /** A short form that only proves that everything runs: fewer, shorter, smaller. */
  quick: boolean;
  /** How long one measurement puts load on what it measures. */
  seconds: number;
}

/** Does it once and resolves to a figure in the row's unit. */
export type Measure = () => Promise<number>;

/** Starts what is measured, which ends with the scope. */
export type Prepare<Part> = (setting: Setting, scope: Scope) => Promise<Part[]>;

/** One who is measured; or why not. */
export type Column = { name: string } & ({ measure: Measure } | { reason: string });

/** What Caravan's figure is held against: so many times another column's, or a figure of its own in the row's unit. */
export type Aim = { times: number; of: string } | { value: number };

/** One line of the table. */
export interface Row {
  /** For `--only`. */
  name: string;
  title: string;
  /** With which tool, and how. */
  how: string;
  unit: string;
  better: 'more' | 'less';
  aim: Aim;
  /** Its columns are then measured in turns, round after round. */
  prepare: Prepare<Column>;
}

export type Point = { x: number } & ({ measure: Measure } | { reason: string });

/** One plot: how a figure of Caravan's grows with something. */
export interface Curve {
  /** For `--only`. */
  name: string;
  title: string;
  /** What grows. */
  x: string;
  unit: string;
  prepare: Prepare<Point>;
}
