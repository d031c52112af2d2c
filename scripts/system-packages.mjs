// Programs that npm does not bring: looked for on PATH, and installed from Debian's or Ubuntu's packages where that is possible.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What Debian asks before a package starts what it serves (invoke-rc.d(8)). */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/**
 * The absolute path of a program on PATH, or undefined. Also looks into the system's own folders, which an ordinary user's PATH
 * may lack.
 *
 * @param {string} command
 * @returns {string | undefined}
 */
export function findCommand(command) {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']) {
    for (const suffix of suffixes) {
      const path = join(folder, command + suffix);
      try {
        accessSync(path, constants.X_OK);
        if (folder) return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/**
 * Makes sure that programs are there: installs those that are missing with apt where this is root on Debian or Ubuntu.
 *
 * @example await ensureSystemPackages({ chromium: 'chromium', ip: 'iproute2' }, console.log);
 * @param {Record<string, string>} packageOf The package of each command.
 * @param {(line: string) => void} log Is told what is installed, before it is.
 * @returns {Promise<void>}
 * @throws {Error} Names what is missing and the one command that installs it.
 */
export async function ensureSystemPackages(packageOf, log) {
  const missing = Object.keys(packageOf).filter((command) => !findCommand(command));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((command) => packageOf[command]))];
  const names = missing.join(', ');
  if (!existsSync('/usr/bin/apt-get'))
    throw new Error(`Not found on PATH: ${names}. Install ${packages.join(', ')}, then try again.`);

  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(`Not found on PATH: ${names}. Run: sudo ${command}`);
  log(`Installing ${packages.join(', ')} (${command})`);
  let result = apt(command);
  if (result.status !== 0) {
    // The list of packages may be missing, as in a container, or name versions that are gone.
    apt('apt-get update');
    result = apt(command);
  }
  if (result.status !== 0) throw new Error(`${command} failed:\n${lastLines(result.stdout + result.stderr)}`);
  const still = missing.filter((name) => !findCommand(name));
  if (still.length > 0) throw new Error(`${packages.join(', ')} brought no ${still.join(', ')}.`);
}

/**
 * Servers that it brings are not started.
 *
 * @param {string} command
 */
function apt(command) {
  const [file = '', ...args] = command.split(' ');
  const setsPolicy = !existsSync(SERVICE_POLICY);
  if (setsPolicy) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return spawnSync(file, args, { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  } finally {
    if (setsPolicy) rmSync(SERVICE_POLICY);
  }
}

/** @param {string} output */
function lastLines(output) {
  return output.trim().split('\n').slice(-10).join('\n');
}
