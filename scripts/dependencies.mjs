// What every script needs before it can do anything: the packages of package-lock.json, and the Node that they bring.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

/** The Node of package.json's devDependencies: the one that tests and tools run on, whatever the machine has. */
export function projectNode() {
  return `${root}/node_modules/.bin/node`;
}

/** Installs what package-lock.json names, where it is not there yet or has changed since. */
export async function ensureDependencies(log = console.log) {
  const installed = `${root}/node_modules/.package-lock.json`;
  const lock = `${root}/package-lock.json`;
  if (existsSync(installed) && existsSync(projectNode()) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const { devDependencies, dependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const count = Object.keys({ ...devDependencies, ...dependencies }).length;
  log(`Installing ${count} packages and what they need with "npm ci"; this takes about a minute.`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('"npm ci" failed; what it said stands above.');
}
