import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { PROGRAMS } from './programs.ts';
import { findCommand } from '../../scripts/system-packages.mjs';

/** Where a run's figures are from. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  node: string;
  /** The first line that each program says of its version; null where it is not there. */
  programs: Record<string, string | null>;
  /** Processes that wanted to run, on average over the minute before the run: other work than the bench's. */
  load: number;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release()}`,
    node: process.version,
    programs: Object.fromEntries(Object.entries(PROGRAMS).map(([name, { version }]) => [name, versionOf(name, version)])),
    load: Math.round(loadavg()[0]! * 10) / 10,
  };
}

function versionOf(name: string, option: string): string | null {
  const path = findCommand(name);
  if (!path) return null;
  try {
    // Some print it on standard error, and some call it a failure.
    const text = execFileSync('/bin/sh', ['-c', `"$0" ${option} 2>&1 || true`, path], { encoding: 'utf8', timeout: 5000 });
    return /\d+\.\d+[\w.]*/.exec(text)?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
