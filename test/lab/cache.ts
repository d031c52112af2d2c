import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** Where the lab keeps what it built, and what runs of it need: `$XDG_CACHE_HOME/caravan/lab`, or the same in `~/.cache`. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'caravan', 'lab');
}

/** A file name that changes with what the file is made from. */
export function keyed(name: string, ...inputs: (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(input).update('\0');
  return join(cacheDirectory(), `${name}-${hash.digest('hex').slice(0, 16)}`);
}

/**
 * Makes a file unless it is there already. It appears under its name only when it is complete, so an interrupted build leaves
 * nothing that looks finished.
 *
 * @param make Writes to the path that it is given, which does not exist yet.
 */
export async function cached(path: string, make: (part: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  await mkdir(cacheDirectory(), { recursive: true });
  await removeAbandonedParts();
  const part = `${path}.${process.pid}.part`;
  try {
    await make(part);
    await rename(part, path);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return path;
}

async function removeAbandonedParts(): Promise<void> {
  for (const file of await readdir(cacheDirectory())) {
    const maker = /\.(\d+)\.part$/.exec(basename(file))?.[1];
    if (maker && !existsSync(`/proc/${maker}`)) await rm(join(cacheDirectory(), file), { recursive: true, force: true });
  }
}
