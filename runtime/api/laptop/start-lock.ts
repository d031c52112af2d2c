import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A start takes less than this; a lock that is older was left behind. Milliseconds. */
export const LOCK_STALE_MS = 60_000;

/** Takes the lock, so that two windows never start two routers. Undefined while another process holds it. */
export function takeLock(path: string): (() => void) | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Twice: the second time, a lock that was left behind is gone.
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => giveBack(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const content = leftBehind(path);
      if (content === undefined) return undefined;
      putAside(path, content);
    }
  }
  return undefined;
}

function giveBack(path: string): void {
  try {
    if (readFileSync(path, 'utf8') === String(process.pid)) rmSync(path, { force: true });
  } catch {
    // It is gone already.
  }
}

/** What a lock that was left behind says; undefined where it is held. */
function leftBehind(path: string): string | undefined {
  try {
    const content = readFileSync(path, 'utf8');
    const isOld = Date.now() - statSync(path).mtimeMs > LOCK_STALE_MS;
    return isOld || !isAlive(Number(content)) ? content : undefined;
  } catch {
    return undefined; // it was given back this moment
  }
}

/** Removes that very lock: another window may have removed it first, and taken one of its own, which goes back to its place. */
function putAside(path: string, content: string): void {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== content) linkSync(aside, path);
  } catch {
    // Somebody was faster.
  }
  rmSync(aside, { force: true });
}

/** An empty file is one that its holder is about to fill. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
