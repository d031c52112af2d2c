import type { Locator } from 'playwright-core';
import type { PageElement } from './page-element.ts';
import { plain } from './text.ts';

/** A line in view. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** A code lens in view. */
export interface CodeLens {
  readonly title: string;
  /** The line below it. */
  readonly line: string;
  /** What to click; undefined for one that only says something. */
  readonly link: Locator | undefined;
}

/** What an editor has drawn, from top to bottom. All of it is of one moment: lenses push lines down when they come. */
export async function readDrawn(editor: Locator): Promise<{ lines: Line[]; lenses: CodeLens[] }> {
  const drawn = await editor.evaluate((root: PageElement) => {
    const read = (selector: string) =>
      [...root.querySelectorAll(selector)].map((element, index) => ({
        index,
        text: element.textContent ?? '',
        links: [...element.querySelectorAll('a')].map((link) => link.textContent ?? ''),
        y: element.getBoundingClientRect().y,
      }));
    return {
      numbers: read('.margin-view-overlays .line-numbers'),
      lines: read('.view-lines .view-line'),
      lenses: read('.codelens-decoration'),
    };
  });

  // Numbers and text of lines are drawn apart, side by side.
  const lines = drawn.lines
    .flatMap(({ text, y }) => {
      const number = Number(drawn.numbers.find((each) => Math.abs(each.y - y) < 2)?.text);
      return number ? [{ number, text: text.replaceAll('\u00A0', ' '), y }] : [];
    })
    .sort((a, b) => a.number - b.number);

  const lenses = drawn.lenses
    .filter(({ text }) => text.trim() !== '')
    .sort((a, b) => a.y - b.y)
    .flatMap(({ index, text, links, y }) => {
      const line = lines.find((each) => each.y >= y)?.text.trim() ?? '';
      return plain(text)
        .split(' | ')
        .map((each) => each.trim())
        .map((title) => {
          const nth = links.findIndex((each) => plain(each) === title);
          const link = nth < 0 ? undefined : editor.locator('.codelens-decoration').nth(index).locator('a').nth(nth);
          return { title, line, link };
        });
    });

  return { lines, lenses };
}
