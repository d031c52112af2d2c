import type { Screen } from './screen.ts';
import { DEADLINE_MS, until } from '../support/until.ts';
import { TreeView } from './tree-view.ts';

/** What was clicked and has not opened by then was closed. Milliseconds. */
const OPENS_WITHIN_MS = 3000;

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
    // An extension's comes late.
    await icon.waitFor({ timeout: DEADLINE_MS });
    const panes = page.locator('.sidebar .pane');
    await until(`the view container ${title}`, async () => {
      // A click on the open one would close it, and so does one on that which a reloaded window opens by itself in this very moment.
      if ((await icon.getAttribute('aria-expanded')) !== 'true') await icon.click();
      await panes.first().waitFor({ timeout: OPENS_WITHIN_MS });
      // The panes may be those of the container before.
      return (await icon.getAttribute('aria-expanded')) === 'true';
    });
    return this;
  }

  /** The number on the container's icon; empty where there is none. */
  async badge(title = 'Caravan'): Promise<string> {
    const icon = this.#screen.page.locator(`.activitybar .action-item:has(.action-label[aria-label^="${title}"])`);
    return (await icon.locator('.badge-content').innerText()).trim();
  }

  /** Drags its edge until it is that wide. Pixels. */
  async widen(width: number): Promise<void> {
    const { page } = this.#screen;
    const box = await page.locator('.part.sidebar').boundingBox();
    if (!box) throw new Error('the sidebar is not open');
    const edge = { x: box.x + box.width, y: box.y + box.height / 2 };
    await page.mouse.move(edge.x, edge.y);
    await page.mouse.down();
    await page.mouse.move(box.x + width, edge.y, { steps: 5 });
    await page.mouse.up();
  }

  view(title: string): TreeView {
    return new TreeView(this.#screen, title);
  }
}
