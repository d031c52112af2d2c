import type { Page } from 'playwright-core';
import { startElectron } from './electron.ts';
import { startInBrowser } from './in-browser.ts';
import type { PreparedOptions } from './vscode-options.ts';

/** A running VS Code, and the window that it shows. */
export interface VSCode {
  readonly page: Page;
  /** Ends it and all that runs in it. */
  stop(): Promise<void>;
}

/** Starts VS Code: for a browser, or as a desktop application where CARAVAN_VSCODE is `electron`. */
export function startVSCode(options: PreparedOptions): Promise<VSCode> {
  return process.env['CARAVAN_VSCODE'] === 'electron' ? startElectron(options) : startInBrowser(options);
}
