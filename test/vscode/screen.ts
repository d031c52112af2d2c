import type { Page } from 'playwright-core';

/** Where page objects look. The workbench is one: its page changes when VS Code starts anew. */
export interface Screen {
  readonly page: Page;
}
