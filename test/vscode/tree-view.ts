import type { Locator } from 'playwright-core';
import { allRows, revealRow, type Row } from './rows.ts';
import type { Screen } from './screen.ts';
import { isWanted, plain, type Wanted } from './text.ts';
import { TreeItem } from './tree-item.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** One of the sidebar's views. */
export class TreeView {
  readonly screen: Screen;
  readonly title: string;

  constructor(screen: Screen, title: string) {
    this.screen = screen;
    this.title = title;
  }

  get list(): Locator {
    return this.#pane().locator('.monaco-list').first();
  }

  /**
   * An item by its label, or by a pattern in label or description; below others where several are given. Those above it are expanded
   * as it is looked for.
   */
  item(...path: Wanted[]): TreeItem {
    return new TreeItem(this, path);
  }

  /** All rows that expanded items show, also those that have to be scrolled to. */
  async rows(): Promise<Row[]> {
    const pane = this.#pane();
    if ((await pane.locator('.pane-header[aria-expanded="false"]').count()) > 0) await pane.locator('.pane-header').click();
    return (await this.list.isVisible()) ? allRows(this.list) : [];
  }

  /** Undefined where there is no such item now. */
  async find(path: Wanted[]): Promise<Row | undefined> {
    const rows = await this.rows();
    let from = 0;
    let found: Row | undefined;
    for (const wanted of path) {
      if (found?.expanded === false) {
        await (await revealRow(this.list, found)).locator('.monaco-tl-twistie').click({ timeout: 2000 });
        return undefined;
      }
      const level: number = found?.level ?? 0;
      found = undefined;
      for (const row of rows.slice(from)) {
        if (row.level <= level) break;
        if (!isWanted(wanted, row.label) && !isWanted(wanted, row.text)) continue;
        found = row;
        break;
      }
      if (!found) return undefined;
      from = rows.indexOf(found) + 1;
    }
    return found;
  }

  /** Clicks an icon of the view's title, by its name. */
  async action(name: string): Promise<void> {
    const pane = this.#pane();
    await pane.hover();
    await pane.locator(`.pane-header .action-label[aria-label="${name}"]`).click();
  }

  /** What the view says above its items, or instead of them. */
  async message(): Promise<string> {
    const message = this.#pane().locator('.welcome-view-content:visible, .message:visible').first();
    return (await message.isVisible()) ? plain(await message.innerText()) : '';
  }

  async waitForMessage(pattern: RegExp, options?: UntilOptions): Promise<void> {
    await until(
      async () => `${this.title} to say ${pattern}; it says: ${await this.message()}`,
      async () => pattern.test(await this.message()),
      options,
    );
  }

  /** Clicks a button of the text that an empty view shows. */
  async clickButton(label: string): Promise<void> {
    await this.#pane().locator('.welcome-view-content').getByRole('button', { name: label, exact: true }).click();
  }

  #pane(): Locator {
    return this.screen.page
      .locator('.pane')
      .filter({ has: this.screen.page.locator(`.pane-header[aria-label="${this.title} Section"]`) });
  }
}
