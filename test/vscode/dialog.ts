import type { Locator } from 'playwright-core';
import type { Screen } from './screen.ts';
import { plain } from './text.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** The dialog that has to be answered before anything else. */
export class Dialog {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Waits for one that matches, and returns its message and detail, a line each. */
  async waitFor(pattern: RegExp, options?: UntilOptions): Promise<string> {
    return until(
      async () => `a dialog that says ${pattern}; there is: ${await this.#text()}`,
      async () => {
        const text = await this.#text();
        return pattern.test(text) && text;
      },
      options,
    );
  }

  /** What can be answered. */
  async buttons(): Promise<string[]> {
    return (await this.#box().locator('.dialog-buttons .monaco-button').allTextContents()).map(plain);
  }

  async answer(button: string): Promise<void> {
    await this.#box().locator('.dialog-buttons .monaco-button').getByText(button, { exact: true }).click();
    await this.#box().waitFor({ state: 'hidden' });
  }

  async #text(): Promise<string> {
    if (!(await this.#box().isVisible())) return '';
    const parts = await this.#box().locator('.dialog-message, .dialog-message-detail').allInnerTexts();
    return [...new Set(parts.map(plain))].filter(Boolean).join('\n');
  }

  #box(): Locator {
    return this.#screen.page.locator('.monaco-dialog-box');
  }
}
