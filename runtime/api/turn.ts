import { lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError } from '../errors.ts';

/** A turn takes milliseconds: one older than this was left over. Milliseconds. */
const LEFT_OVER_MS = 5000;

/** Waits until no other process has its turn at `path`, a folder that is there as long as somebody has. Resolves to what ends it. */
export async function takeTurn(path: string): Promise<() => void> {
  for (;;) {
    try {
      mkdirSync(path);
      return () => rmdirSync(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST')
        throw new CaravanError('forbidden', `Nothing can be made in ${dirname(path)}: ${code}.`, { cause: error });
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found && Date.now() - found.mtimeMs > LEFT_OVER_MS) rmSync(path, { recursive: true, force: true });
      await sleep(20);
    }
  }
}
