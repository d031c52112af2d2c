import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (!isLeftBehind(path)) return undefined;
      rmSync(path, { force: true });
    }
  }
  return undefined;
}

function isLeftBehind(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > LOCK_STALE_MS) return true;
    return !isAlive(Number(readFileSync(path, 'utf8')));
  } catch {
    return false; // it was given back this moment
  }
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
