import type { Row } from './row.ts';

/** What a tree shows next. */
export interface MergedRows {
  /** Each the object that was shown before, where it was there before. */
  rows: Row[];
  /** Those of them, and of what is below, that have to be drawn again; with a row goes all that is below it. */
  changed: Row[];
  /** The same rows in the same order, whatever became of each. */
  isSameList: boolean;
}

/** An item keeps the state that its id had: one that gets children later would stay closed. */
export function itemId(row: Row): string {
  return row.children?.length ? `${row.id}:open` : row.id;
}

/**
 * Brings the rows that are shown to those that should be. VS Code knows a row by its object, and forgets all objects below what it draws again until
 * it has asked for them anew: a menu that is open meanwhile has lost its row. So rows that go on keep their objects, and little is drawn again.
 */
export function mergeRows(shown: readonly Row[], next: readonly Row[]): MergedRows {
  const known = new Map(shown.map((row) => [itemId(row), row]));
  const changed: Row[] = [];
  const rows = next.map((row) => {
    const same = known.get(itemId(row));
    if (!same) return row;
    const below = mergeRows(same.children ?? [], row.children ?? []);
    if (below.isSameList && ownText(same) === ownText(row)) changed.push(...below.changed);
    else changed.push(same);
    become(same, { ...row, ...(row.children && { children: below.rows }) });
    return same;
  });
  const isSameList = rows.length === shown.length && rows.every((row, at) => row === shown[at]);
  return { rows, changed, isSameList };
}

/** All that is drawn of a row, and what its commands act upon. */
function ownText(row: Row): string {
  return JSON.stringify({ ...row, children: undefined });
}

function become(row: Row, next: Row): void {
  for (const key of Object.keys(row)) if (!(key in next)) Reflect.deleteProperty(row, key);
  Object.assign(row, next);
}
