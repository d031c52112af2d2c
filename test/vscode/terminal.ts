import type { Locator } from 'playwright-core';
import type { QuickInput } from './quick-input.ts';
import type { Screen } from './screen.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** The integrated terminal in front. */
export class Terminal {
  readonly #screen: Screen;
  readonly #quickInput: QuickInput;

  constructor(screen: Screen, quickInput: QuickInput) {
    this.#screen = screen;
    this.#quickInput = quickInput;
  }

  /** Opens a new one, and waits for its prompt. */
  async open(): Promise<this> {
    await this.#quickInput.run('Terminal: Create New Terminal');
    await this.waitForText(/[#$>%] ?$/);
    return this;
  }

  /** Types a command and presses Enter. `open` it first. */
  async run(command: string): Promise<void> {
    await this.#terminal().locator('.xterm-helper-textarea').focus();
    await this.#screen.page.keyboard.type(command);
    await this.#screen.page.keyboard.press('Enter');
  }

  /** Ends its shell, and waits until it has gone: what takes the focus then would lose it again. */
  async exit(): Promise<void> {
    await this.run('exit');
    await until('the terminal to go', async () => (await this.#terminal().count()) === 0);
  }

  /** What is in view, without the blank lines at its end. A line that is too long is broken. */
  async text(): Promise<string> {
    const lines = await this.#terminal().locator('.xterm-rows > div').allTextContents();
    return lines
      .map((line) => line.replaceAll('\u00A0', ' ').trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** Waits until what is in view matches, and returns it. */
  async waitForText(pattern: RegExp, options?: UntilOptions): Promise<string> {
    return until(
      async () => `the terminal to say ${pattern}; it says:\n${await this.text()}`,
      async () => {
        const text = await this.text();
        return pattern.test(text) && text;
      },
      options,
    );
  }

  #terminal(): Locator {
    return this.#screen.page.locator('.terminal-wrapper.active');
  }
}
