import type { Locator } from 'playwright-core';
import type { PageElement } from './page-element.ts';
import { scroll } from './scroll.ts';
import { plain } from './text.ts';

/** A row of a tree or list, as it is drawn. */
export interface Row {
  /** Its place among all rows, drawn or not. */
  readonly index: number;
  readonly label: string;
  /** The paler text behind the label. */
  readonly description: string;
  /** Label and description with a blank between. */
  readonly text: string;
  /** The icon's name, without `codicon-`; empty where there is none. */
  readonly icon: string;
  /** 1 for the roots of a tree. */
  readonly level: number;
  /** Undefined where there is nothing to expand. */
  readonly expanded: boolean | undefined;
}

/**
 * VS Code draws only the rows of a list that are in view. This reads them all, as a person does: by scrolling.
 *
 * @param list A `.monaco-list`.
 */
export async function allRows(list: Locator): Promise<Row[]> {
  const rows = new Map<number, Row>();
  let drawn = await drawnRows(list);
  if (!drawn.complete) {
    await scrollToStart(list);
    drawn = await drawnRows(list);
  }
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    for (const row of drawn.rows) rows.set(row.index, row);
    if (drawn.last || !(await scrollBy(list, 1))) break;
    drawn = await drawnRows(list);
  }
  return [...rows.values()].sort((a, b) => a.index - b.index);
}

/**
 * Scrolls until a row is entirely in view.
 *
 * @throws {Error} Where the list changes so that it is not found.
 */
export async function revealRow(list: Locator, row: Row): Promise<Locator> {
  const element = list.locator(`.monaco-list-row[data-index="${row.index}"]`);
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    const { rows } = await drawnRows(list);
    const isDrawn = rows.some(({ index }) => index === row.index);
    const box = isDrawn ? await element.boundingBox({ timeout: 1000 }) : null;
    const frame = await list.boundingBox({ timeout: 1000 });
    if (box && frame && box.y >= frame.y - 1 && box.y + box.height <= frame.y + frame.height + 1) return element;
    const up = row.index <= (rows[0]?.index ?? 0);
    if (!(await scrollBy(list, up ? -1 : 1)) && box) return element;
  }
  throw new Error(`${row.label} cannot be scrolled to`);
}

/** A list that is longer, or moves on its own, is not read to its end. */
const MAX_TURNS = 200;

/** A row's height. Pixels. */
const ROW = 22;

interface Drawn {
  rows: Row[];
  /** The list's last row is among them. */
  last: boolean;
  /** The first one as well. */
  complete: boolean;
}

async function drawnRows(list: Locator): Promise<Drawn> {
  const read = await list.locator('.monaco-list-row').evaluateAll((elements: PageElement[]) =>
    elements.map((element) => {
      const icon = element.querySelector('.custom-view-tree-node-item-icon, .quick-input-list-icon');
      return {
        index: Number(element.getAttribute('data-index')),
        isLast: element.getAttribute('data-last-element') === 'true',
        label: element.querySelector('.label-name')?.textContent ?? '',
        suffix: element.querySelector('.label-suffix')?.textContent ?? '',
        description: [...element.querySelectorAll('.label-description')].map((part) => part.textContent).join(' '),
        icon: /codicon-([\w-]+)(?<!codicon-colored)/.exec(icon?.className ?? '')?.[1] ?? '',
        level: Number(element.getAttribute('aria-level') ?? 1),
        expanded: element.getAttribute('aria-expanded'),
      };
    }),
  );
  const rows = read
    .map(({ index, label, suffix, description, icon, level, expanded }) => {
      const name = plain(label + suffix);
      const behind = plain(description);
      const isExpanded = expanded === null ? undefined : expanded === 'true';
      return { index, label: name, description: behind, text: plain(`${name} ${behind}`), icon, level, expanded: isExpanded };
    })
    .sort((a, b) => a.index - b.index);
  const last = rows.length === 0 || read.some(({ isLast }) => isLast);
  return { rows, last, complete: last && (rows[0]?.index ?? 0) === 0 };
}

async function scrollToStart(list: Locator): Promise<void> {
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    const { rows } = await drawnRows(list);
    if (rows[0]?.index === 0 || !(await scrollBy(list, -10))) return;
  }
}

/** Scrolls by a bit less than the list's height. False where that moves nothing. */
async function scrollBy(list: Locator, direction: number): Promise<boolean> {
  const height = (await list.boundingBox({ timeout: 2000 }))?.height ?? 0;
  const scrollable = list.locator('.monaco-scrollable-element').first();
  return scroll(scrollable, direction * Math.max(ROW, height - ROW), '.monaco-list-rows');
}
