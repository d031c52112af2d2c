import { chromium } from 'playwright-core';
import { startCodeServer } from '../../scripts/code-server.mjs';
import { ensureSystemPackages, findCommand } from '../../scripts/system-packages.mjs';
import type { VSCode } from './vscode.ts';
import type { PreparedOptions } from './vscode-options.ts';

export const BROWSERS = ['chromium', 'google-chrome', 'chromium-browser'];

/** Starts code-server and a browser without a screen that shows it. */
export async function startInBrowser(options: PreparedOptions): Promise<VSCode> {
  const executablePath = await findBrowser();
  // Two minutes: a run that was killed leaves nothing behind for long.
  const server = await startCodeServer({ ...options, idleTimeout: 120, log: console.error });
  try {
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
      // A signal ends the spec, and the browser with it.
      handleSIGINT: false,
      handleSIGTERM: false,
    });
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.goto(server.url);
      return {
        page,
        stop: async () => {
          await browser.close();
          await server.stop();
        },
      };
    } catch (error) {
      await browser.close();
      throw error;
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function findBrowser(): Promise<string> {
  const find = () => BROWSERS.map(findCommand).find((path) => path !== undefined);
  const found = find();
  if (found) return found;
  await ensureSystemPackages({ chromium: 'chromium' }, console.error);
  return find() ?? 'chromium';
}
