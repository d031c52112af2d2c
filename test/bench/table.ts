import { PEERS } from './across-peers.ts';
import { isSample, type Outcome, type Report, type RowResult } from './report.ts';

const HEAD = ['measure', 'unit', ...PEERS.map(({ title }) => title), '× HAProxy', 'must be', 'met'];
const NONE = '–';

/** Three digits that count, and the thousands apart: `4.53`, `203`, `29,215`. */
export function figure(value: number): string {
  const decimals = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 3) });
}

/** For a terminal: medians only, with what is missing and why below. */
export function textTable({ rows }: Pick<Report, 'rows'>): string {
  const cells = [HEAD, ...rows.map((row) => cellsOf(row, (outcome) => (isSample(outcome) ? figure(outcome.median) : NONE)))];
  const widths = HEAD.map((_, at) => Math.max(...cells.map((line) => line[at]!.length)));
  const lines = cells.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, '', ...missing(rows)].join('\n');
}

/** For a page: medians with the smallest and the largest of all rounds. */
export function markdownTable({ rows }: Pick<Report, 'rows'>): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(HEAD),
    line(HEAD.map(() => '---')),
    ...rows.map((row) => line(cellsOf({ ...row, title: `${row.title} (${row.how})` }, withSpread))),
  ].join('\n');
}

/** What has no figure, and why: a line for all columns that miss the same rows for the same reason. */
export function missing(rows: readonly RowResult[]): string[] {
  const rowsOf = grouped(
    rows.flatMap(({ name, columns }) =>
      Object.entries(columns).flatMap(([column, outcome]) =>
        isSample(outcome) ? [] : [{ key: `${titleOf(column)}\n${outcome.reason}`, value: name }],
      ),
    ),
  );
  const columnsOf = grouped(
    [...rowsOf].map(([key, names]) => {
      const [column, reason] = key.split('\n', 2) as [string, string];
      return { key: `${reason} (${names.join(', ')})`, value: column };
    }),
  );
  return [...columnsOf].map(([what, columns]) => `${columns.join(', ')}: ${what}`);
}

function grouped(pairs: readonly { key: string; value: string }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { key, value } of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}

function cellsOf(
  { title, unit, columns, ratioToHaproxy, aim }: RowResult,
  cell: (outcome: Outcome | undefined) => string,
): string[] {
  const met = aim.met === null ? '' : aim.met ? 'yes' : 'no';
  const ratio = ratioToHaproxy === null ? NONE : ratioToHaproxy.toFixed(2);
  return [title, unit, ...PEERS.map(({ name }) => cell(columns[name])), ratio, `${aim.must}${besides(columns, aim.is)}`, met];
}

/** Who is no peer, but what Caravan is held against in this row alone. */
function besides(columns: RowResult['columns'], is: number | null): string {
  const other = Object.entries(columns).find(([name]) => !PEERS.some((peer) => peer.name === name));
  if (!other || !isSample(other[1]) || is === null) return '';
  return ` (${figure(other[1].median)}): ${is.toFixed(2)} ×`;
}

function withSpread(outcome: Outcome | undefined): string {
  if (!isSample(outcome)) return NONE;
  const { median, min, max, values } = outcome;
  return values.length > 1 ? `${figure(median)} (${figure(min)} – ${figure(max)})` : figure(median);
}

function titleOf(column: string): string {
  return PEERS.find(({ name }) => name === column)?.title ?? column;
}
