import { click } from './click.ts';
import type { Screen } from './screen.ts';
import { isWanted, plain, type Wanted } from './text.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** The menu that is open: an item's context menu, or what is behind "…". */
export class Menu {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** What can be chosen, in order. */
  async items(): Promise<string[]> {
    const labels = await this.#items().allTextContents();
    return labels.map(plain);
  }

  /** Chooses an item; of a submenu, after its parents' labels. */
  async choose(path: Wanted[], options?: UntilOptions): Promise<void> {
    for (const [depth, wanted] of path.entries()) {
      const isLast = depth === path.length - 1;
      let clicked = false;
      await until(
        async () => `the menu item ${wanted}; there are: ${(await this.items()).join(', ')}`,
        async () => {
          const labels = await this.items();
          if (clicked && labels.length === 0) return true;
          const index = labels.findIndex((label) => isWanted(wanted, label));
          if (index < 0) return false;
          const item = this.#items().nth(index);
          if (!isLast) {
            await item.hover();
            return true;
          }
          await click(item);
          clicked = true;
          // A menu that has just opened takes no click: it might be the end of the one that opened it.
          await this.#items().first().waitFor({ state: 'hidden', timeout: 1000 });
          return true;
        },
        options,
      );
    }
  }

  async dismiss(): Promise<void> {
    await this.#screen.page.keyboard.press('Escape');
    await this.#items().first().waitFor({ state: 'hidden' });
  }

  #items() {
    return this.#screen.page.locator('.monaco-menu .action-menu-item > .action-label:not(.separator)');
  }
}
