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
