import type { Locator } from 'playwright-core';
import type { Screen } from './screen.ts';
import { plain } from './text.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** The messages at the bottom right, progress among them. */
export class Notifications {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** What they say, newest first. */
  async all(): Promise<string[]> {
    const messages = await this.#items().locator('.notification-list-item-message').allTextContents();
    return messages.map(plain);
  }

  /** Waits for one that matches, and returns what it says. */
  async waitFor(pattern: RegExp, options?: UntilOptions): Promise<string> {
    return until(
      async () => `a notification that says ${pattern}; there are: ${(await this.all()).join(' | ') || 'none'}`,
      async () => (await this.all()).find((message) => pattern.test(message)),
      options,
    );
  }

  /** Waits until none matches. */
  async waitUntilGone(pattern: RegExp, options?: UntilOptions): Promise<void> {
    await until(
      () => `the notification ${pattern} to go`,
      async () => !(await this.all()).some((message) => pattern.test(message)),
      options,
    );
  }

  /** Clicks a button of the notification that matches. Waits for it. */
  async click(pattern: RegExp, button: string): Promise<void> {
    await this.waitFor(pattern);
    const item = this.#items().filter({ hasText: pattern }).first();
    await item.hover();
    await item.locator('.monaco-button').getByText(button, { exact: true }).click();
  }

  /** Closes all of them. */
  async clear(): Promise<void> {
    await until('the notifications to close', async () => {
      const item = this.#items().first();
      if (!(await item.isVisible())) return true;
      await item.hover({ timeout: 1000 });
      await item.locator('.codicon-notifications-clear, .codicon-notifications-hide').first().click({ timeout: 1000 });
      return false;
    });
  }

  #items(): Locator {
    return this.#screen.page.locator(
      '.notifications-toasts .notification-list-item, .notifications-center.visible .notification-list-item',
    );
  }
}
