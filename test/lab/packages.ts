import { existsSync } from 'node:fs';
import { findCommand } from '../../scripts/system-packages.mjs';
import { command } from './command.ts';

/** Debian's packages, each with one of the files or commands that it brings. */
const PACKAGES: Record<string, string> = {
  containerd: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  iproute2: 'ip',
  conntrack: 'conntrack',
  ethtool: 'ethtool',
  'util-linux': 'nsenter',
  mount: 'mount',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  // The one of the package `busybox` needs libraries.
  'busybox-static': '/bin/busybox',
  'golang-go': 'go',
};

/** The packages that are not there, in Debian's names. */
export function missingPackages(): string[] {
  return Object.keys(PACKAGES).filter((name) => !isThere(PACKAGES[name] ?? name));
}

/** Whether packages can be installed without asking anybody: root on Debian, Ubuntu or what descends from them. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

export async function installPackages(names: string[], log: (line: string) => void): Promise<void> {
  log(`installing ${names.join(', ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await command('apt-get', ['update', '-q'], { env, timeout: 300_000 });
  await command('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...names], { env, timeout: 900_000 });
}

function isThere(fileOrCommand: string): boolean {
  return fileOrCommand.startsWith('/') ? existsSync(fileOrCommand) : findCommand(fileOrCommand) !== undefined;
}
