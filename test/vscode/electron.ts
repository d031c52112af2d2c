import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, SilentReporter } from '@vscode/test-electron';
import { _electron } from 'playwright-core';
import { cacheFolder } from '../../scripts/cache-folder.mjs';
import { endLaunch, killLaunch, newLaunch } from '../../scripts/launched-processes.mjs';
import { quietSettings } from '../../scripts/quiet-settings.mjs';
import { withoutEditor } from '../../scripts/without-editor.mjs';
import type { VSCode } from './vscode.ts';
import type { PreparedOptions } from './vscode-options.ts';

/** So that menus and dialogs are drawn in the window, where a spec sees them, as they are in a browser. */
const IN_WINDOW = {
  'window.titleBarStyle': 'custom',
  'window.menuStyle': 'custom',
  'window.dialogStyle': 'custom',
  'files.simpleDialog.enable': true,
};

/** Starts VS Code's desktop application, which @vscode/test-electron downloads once. */
export async function startElectron(options: PreparedOptions): Promise<VSCode> {
  const executablePath = await download();
  const { folder, userDataDir } = options;
  await mkdir(join(userDataDir, 'User'), { recursive: true });
  const settings = { ...quietSettings, ...IN_WINDOW, ...options.settings };
  writeFileSync(join(userDataDir, 'User', 'settings.json'), JSON.stringify(settings, undefined, 2));

  const launch = newLaunch();
  const kill = () => killLaunch(launch.mark);
  process.prependListener('exit', kill);
  const app = await _electron.launch({
    executablePath,
    args: [
      folder,
      ...options.extensions.map((extension) => `--extensionDevelopmentPath=${extension}`),
      `--user-data-dir=${userDataDir}`,
      `--extensions-dir=${join(userDataDir, 'extensions')}`,
      '--skip-welcome',
      '--skip-release-notes',
      '--disable-updates',
      '--no-sandbox',
      ...(options.trusted ? ['--disable-workspace-trust'] : []),
    ],
    env: { ...withoutEditor(process.env), ...options.env, ...launch.env },
  });
  const stop = async () => {
    await app.close();
    await endLaunch(launch.mark);
    process.off('exit', kill);
  };
  try {
    return { page: await app.firstWindow(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function download(): Promise<string> {
  try {
    return await downloadAndUnzipVSCode({ cachePath: join(cacheFolder(), 'vscode'), reporter: new SilentReporter() });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`VS Code cannot be downloaded (${reason}): unset CARAVAN_VSCODE, and the specs use code-server instead.`, {
      cause: error,
    });
  }
}
