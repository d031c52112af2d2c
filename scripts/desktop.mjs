// The user's own VS Code, with settings apart from theirs.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './dependencies.mjs';
import { quietSettings } from './quiet-settings.mjs';
import { findCommand } from './system-packages.mjs';
import { withoutEditor } from './without-editor.mjs';

/**
 * VS Code's command, where it can open a window here and loads the extension.
 *
 * @param {(line: string) => void} log Is told why it is not taken, where that may surprise.
 * @returns {string | undefined}
 */
export function findDesktop(log) {
  const { env, platform } = process;
  const hasScreen = platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY;
  // As root it starts only without its sandbox. In a terminal of a remote window, or in WSL, `code` opens windows elsewhere.
  const isRoot = platform === 'linux' && process.getuid?.() === 0;
  if (!hasScreen || isRoot || env.VSCODE_IPC_HOOK_CLI || env.WSL_DISTRO_NAME) return undefined;
  const code = findCommand('code');
  if (!code) return undefined;
  const version = spawnSync(code, ['--version'], { encoding: 'utf8', shell: platform === 'win32' }).stdout?.split('\n')[0] ?? '';
  const needed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.vscode.replace('^', '');
  if (version.localeCompare(needed, undefined, { numeric: true }) >= 0) return code;
  log(`VS Code here is ${version || 'of an unknown version'}, and Caravan needs ${needed}: opening one in the browser.`);
  return undefined;
}

/**
 * Opens a window of its own, with Caravan from this folder.
 *
 * @param {string} code
 * @param {{ folder: string, userDataDir: string, env: Record<string, string> }} options
 */
export function startDesktop(code, { folder, userDataDir, env }) {
  mkdirSync(join(userDataDir, 'User'), { recursive: true });
  writeFileSync(join(userDataDir, 'User', 'settings.json'), JSON.stringify(quietSettings, undefined, 2));
  const args = ['--wait', '--new-window', '--skip-welcome', '--skip-release-notes', '--disable-workspace-trust'];
  const child = spawn(code, [...args, `--extensionDevelopmentPath=${root}`, `--user-data-dir=${userDataDir}`, folder], {
    env: { ...withoutEditor(process.env), ...env },
    stdio: 'ignore',
    shell: process.platform === 'win32',
  });
  return { ended: new Promise((resolve) => child.once('close', resolve)) };
}
