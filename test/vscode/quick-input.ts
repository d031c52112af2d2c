import type { Locator } from 'playwright-core';
import { allRows, revealRow, type Row } from './rows.ts';
import { click } from './click.ts';
import type { Screen } from './screen.ts';
import { isWanted, plain, type Wanted } from './text.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** The box at the top: command palette, picks, inputs. */
export class QuickInput {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Runs a command from the palette, by its whole name, such as `Caravan: Create Site…`. */
  async run(command: string, options?: UntilOptions): Promise<void> {
    await this.#open('F1', `>${command}`);
    await this.#choose(command, options);
  }

  /** The commands that the palette offers for a text, closed again. Those that contain it, not what is merely alike. */
  async commands(text: string): Promise<string[]> {
    await this.#open('F1', `>${text}`);
    const rows = await until('the commands', async () => {
      const offered = await this.rows();
      return offered.length > 0 && offered;
    });
    await this.cancel();
    return rows.map(({ label }) => label).filter((label) => label.includes(text));
  }

  /** Opens a file of the folder by its name. */
  async openFile(name: string): Promise<void> {
    await this.#open('ControlOrMeta+P', name);
    await this.#choose(name);
  }

  /** Picks one of what is offered, also where it has to be scrolled to. Waits for it. */
  async pick(wanted: Wanted, options?: UntilOptions): Promise<void> {
    await this.#choose(wanted, options);
  }

  /** Picks several and confirms. */
  async pickMany(...all: Wanted[]): Promise<void> {
    for (const wanted of all) {
      const row = await this.#row(wanted);
      const box = row.locator('.quick-input-list-checkbox, .monaco-checkbox').first();
      if ((await box.getAttribute('aria-checked')) !== 'true') await box.click();
    }
    await this.#leave(() => this.#screen.page.keyboard.press('Enter'));
  }

  /** What is offered. */
  async rows(): Promise<Row[]> {
    return allRows(this.#list());
  }

  /** Replaces what stands in the box, and confirms. */
  async typeInput(text: string): Promise<void> {
    await this.fill(text);
    await this.#leave(() => this.#screen.page.keyboard.press('Enter'));
  }

  /** Replaces what stands in the box. */
  async fill(text: string): Promise<void> {
    await this.#input().fill(text);
  }

  /** What stands in the box. */
  async value(): Promise<string> {
    return this.#input().inputValue();
  }

  /** Waits for a box whose title, prompt or problem matches, and returns that text. */
  async waitFor(pattern: RegExp, options?: UntilOptions): Promise<string> {
    return until(
      async () => `a quick input that says ${pattern}; there is: ${await this.text()}`,
      async () => {
        const text = await this.text();
        return pattern.test(text) && text;
      },
      options,
    );
  }

  /** Title, placeholder, prompt or problem, a line each. Empty where no box is open. */
  async text(): Promise<string> {
    const widget = this.#widget();
    if (!(await widget.isVisible())) return '';
    const title = await widget.locator('.quick-input-title').textContent();
    const placeholder = await this.#input().getAttribute('placeholder');
    const message = await widget.locator('.quick-input-message').textContent();
    return [title, placeholder, message].map(plain).filter(Boolean).join('\n');
  }

  async cancel(): Promise<void> {
    await this.#input().press('Escape');
    await this.#widget().waitFor({ state: 'hidden' });
  }

  async #open(key: string, text: string): Promise<void> {
    const prefix = text.startsWith('>') ? '>' : '';
    await until('the command palette', async () => {
      // Keys are lost while the workbench is still being built, and the box takes none while it closes.
      if (!(await this.#widget().isVisible())) await this.#screen.page.keyboard.press(key);
      await this.#widget().waitFor({ timeout: 1000 });
      if (!(await this.value()).startsWith(prefix)) return false;
      await this.#input().fill(text, { timeout: 1000 });
      return true;
    });
  }

  async #choose(wanted: Wanted, options?: UntilOptions): Promise<void> {
    await this.#leave(() =>
      // Where the rows are still being sorted, the one that was found may be gone before it is clicked.
      until(
        `"${wanted}" to be clicked`,
        async () => {
          const row = await this.#row(wanted, options);
          await click(row.locator('.label-name').first());
          return true;
        },
        options,
      ),
    );
  }

  #row(wanted: Wanted, options?: UntilOptions): Promise<Locator> {
    return until(
      async () => {
        const rows = await this.rows();
        return `"${wanted}" to be offered; offered are: ${rows.map(({ text }) => text).join(', ')}`;
      },
      async () => {
        const row = (await this.rows()).find(({ label, text }) => isWanted(wanted, label) || isWanted(wanted, text));
        return row && revealRow(this.#list(), row);
      },
      options,
    );
  }

  /** Waits until the box is closed or asks the next question, so that the next step does not answer this one. */
  async #leave(action: () => Promise<unknown>): Promise<void> {
    const before = await this.#state();
    await action();
    // One that stays as it is, as it does for an invalid input, is the spec's to look at.
    await until('', async () => (await this.#state()) !== before, { timeoutMs: 3000 }).catch(() => {});
  }

  async #state(): Promise<string> {
    if (!(await this.#widget().isVisible())) return '';
    const rows = await this.#list().locator('.monaco-list-row').allTextContents();
    return JSON.stringify([await this.text(), await this.value(), rows]);
  }

  #widget(): Locator {
    return this.#screen.page.locator('.quick-input-widget');
  }

  #input(): Locator {
    return this.#widget().locator('.quick-input-box input');
  }

  #list(): Locator {
    return this.#widget().locator('.quick-input-list .monaco-list');
  }
}
