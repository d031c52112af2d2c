import type { Screen } from './screen.ts';
import { TreeView } from './tree-view.ts';

/** The sidebar, opened at a view container of the activity bar. */
export class Sidebar {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Opens a view container. Default: Caravan's. */
  async open(title = 'Caravan'): Promise<this> {
    const { page } = this.#screen;
    // Its name goes on with a key, or with what its badge counts.
    const icon = page.locator(`.activitybar .action-item:has(.action-label[aria-label^="${title}"])`);
    await icon.waitFor();
    // A click on the open one would close it.
    const isOpen = await icon.getAttribute('aria-expanded');
    if (isOpen !== 'true') await icon.click();
    await page.locator('.sidebar .pane').first().waitFor();
    return this;
  }

  /** The number on the container's icon; empty where there is none. */
  async badge(title = 'Caravan'): Promise<string> {
    const icon = this.#screen.page.locator(`.activitybar .action-item:has(.action-label[aria-label^="${title}"])`);
    return (await icon.locator('.badge-content').innerText()).trim();
  }

  view(title: string): TreeView {
    return new TreeView(this.#screen, title);
  }
}
