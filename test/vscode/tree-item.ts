import type { Locator } from 'playwright-core';
import { Menu } from './menu.ts';
import { revealRow, type Row } from './rows.ts';
import type { Wanted } from './text.ts';
import type { TreeView } from './tree-view.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** An item of a tree, known by the labels that lead to it: it may come, change and go. */
export class TreeItem {
  readonly #view: TreeView;
  readonly #path: Wanted[];

  constructor(view: TreeView, path: Wanted[]) {
    this.#view = view;
    this.#path = path;
  }

  /** As it is now; waits for it where it is not there yet. */
  async row(options?: UntilOptions): Promise<Row> {
    return until(
      () => this.#expected('to be there'),
      () => this.#find(),
      options,
    );
  }

  /** Label and description, as they are now. */
  async text(): Promise<string> {
    return (await this.row()).text;
  }

  /** Waits until label and description, with a blank between, match. */
  async waitForText(pattern: RegExp, options?: UntilOptions): Promise<void> {
    await until(
      () => this.#expected(`to say ${pattern}`),
      async () => pattern.test((await this.#find())?.text ?? ''),
      options,
    );
  }

  /** Waits until the item is gone. */
  async waitUntilGone(options?: UntilOptions): Promise<void> {
    await until(
      () => this.#expected('to be gone'),
      async () => (await this.#find()) === undefined,
      options,
    );
  }

  async expand(): Promise<this> {
    await this.#setExpanded(true);
    return this;
  }

  async collapse(): Promise<this> {
    await this.#setExpanded(false);
    return this;
  }

  async click(): Promise<void> {
    await this.#act((row) => row.locator('.label-name').click());
  }

  async doubleClick(): Promise<void> {
    await this.#act((row) => row.locator('.label-name').dblclick());
  }

  /** Right-clicks, and chooses an item of the menu; of a submenu, after its parents' labels. */
  async contextMenu(...labels: Wanted[]): Promise<void> {
    await this.#openMenu();
    await new Menu(this.#view.screen).choose(labels);
  }

  /** What the context menu offers. */
  async contextMenuItems(): Promise<string[]> {
    await this.#openMenu();
    const menu = new Menu(this.#view.screen);
    const items = await until('the context menu', async () => {
      const labels = await menu.items();
      return labels.length > 0 && labels;
    });
    await menu.dismiss();
    return items;
  }

  /** Clicks an icon at the row's end, by its name. */
  async inlineAction(name: string): Promise<void> {
    await this.#act(async (row) => {
      await row.hover();
      await row.locator(`.actions .action-label[aria-label="${name}"]`).click({ timeout: 2000 });
    });
  }

  /** The names of the icons at the row's end. */
  async inlineActions(): Promise<string[]> {
    return this.#act(async (row) => {
      await row.hover();
      const labels = row.locator('.actions .action-label');
      return labels.evaluateAll((elements: { getAttribute(name: string): string | null }[]) =>
        elements.map((element) => element.getAttribute('aria-label') ?? ''),
      );
    });
  }

  /** Rests the mouse on the item and reads what appears. */
  async tooltip(): Promise<string> {
    return this.#act(async (row) => {
      const hover = this.#view.screen.page.locator('.monaco-hover.workbench-hover:visible');
      await this.#view.screen.page.mouse.move(0, 0);
      await hover.waitFor({ state: 'hidden', timeout: 3000 });
      await row.locator('.label-name').hover();
      await hover.waitFor({ timeout: 3000 });
      return hover.innerText();
    });
  }

  /** Drags it onto another item. */
  async dragTo(target: TreeItem): Promise<void> {
    await this.#act((from) => target.#act((to) => from.dragTo(to)));
  }

  async #openMenu(): Promise<void> {
    await this.#act(async (row) => {
      const menu = this.#view.screen.page.locator('.monaco-menu').first();
      // One that came late covers its own row.
      if (!(await menu.isVisible())) await row.locator('.label-name').click({ button: 'right' });
      await menu.waitFor({ timeout: 2000 });
    });
  }

  async #setExpanded(expanded: boolean): Promise<void> {
    await until(
      () => this.#expected(expanded ? 'to expand' : 'to collapse'),
      async () => {
        const row = await this.#find();
        if (!row || row.expanded === expanded) return row !== undefined;
        await (await revealRow(this.#view.list, row)).locator('.monaco-tl-twistie').click({ timeout: 2000 });
        return false;
      },
    );
  }

  /** Does something with the row, again where the tree was drawn anew meanwhile. */
  async #act<T>(action: (row: Locator) => Promise<T>): Promise<T> {
    const done = await until(
      () => this.#expected('to be there'),
      async () => {
        const row = await this.#find();
        if (!row) return undefined;
        const element = await revealRow(this.#view.list, row);
        // The tree may have changed while it was scrolled.
        const label = element.locator('.label-name').filter({ hasText: row.label });
        await label.waitFor({ timeout: 1000 });
        return { result: await action(element) };
      },
    );
    return done.result;
  }

  async #find(): Promise<Row | undefined> {
    return this.#view.find(this.#path);
  }

  async #expected(what: string): Promise<string> {
    const rows = await this.#view.rows();
    const tree = rows.map(({ level, text }) => `${'  '.repeat(level)}${text}`).join('\n');
    return `${this.#path.join(' › ')} ${what}. ${this.#view.title} shows:\n${tree}`;
  }
}
