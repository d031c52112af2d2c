import { ago } from '../../runtime/words.ts';
import type { MadeResource } from '../../runtime/api/types.ts';
import type { SiteRef } from '../sites/site-ref.ts';

/** A row of a tree, without VS Code: `tree.ts` turns it into a TreeItem. */
export interface Row {
  /** Stable between updates, so that a tree keeps what is open and selected. */
  id: string;
  label: string;
  description?: string;
  tooltip?: string;
  icon: Icon;
  /** Dotted flags for `when` clauses: `site.cluster.ready`. */
  flags: string;
  children?: Row[];
  open?: boolean;
  /** Run by a click. */
  command?: string;
  target?: Target;
}

/** A codicon, with a colour where it tells a state. */
export type Icon = readonly [codicon: string, colour?: 'good' | 'bad' | 'off'];

/** What a row's commands act upon. */
export interface Target {
  site?: SiteRef;
  context?: string;
  namespace?: string;
  resource?: MadeResource;
  address?: string;
  /** `localhost:5432` */
  local?: string;
  /** `postgresql://localhost:5432` */
  connection?: string;
  url?: string;
  file?: string;
}

export const GOOD: Icon = ['circle-filled', 'good'];
export const OFF: Icon = ['circle-outline', 'off'];
/** Half a circle: somebody stands in for a service. */
export const SHARED: Icon = ['color-mode', 'good'];
export const BAD: Icon = ['warning', 'bad'];

/** Joins what there is: a description, or a tooltip's lines. */
export function joined(separator: string, parts: readonly (string | number | false | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== false && part !== '').join(separator);
}

/** The last minute is `just now`, so that trees do not change all the time. */
export function calmAgo(time: string, now: Date): string {
  return now.getTime() - Date.parse(time) < 60_000 ? 'just now' : ago(time, now);
}
