import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { listCgroups, removeCgroups } from './cgroups.ts';
import { endHolder, holders } from './namespaces.ts';

const PREFIX = 'caravan-';

/** One lab: what everything of it is named after, and its folder. */
export interface Run {
  name: string;
  directory: string;
}

/** A name for everything that one run of the lab makes. As short as an interface's has to be. */
export function newRunName(): string {
  return `${PREFIX}${randomBytes(3).toString('hex')}`;
}

/** A run that ends with this process. */
export function newRun(): Run {
  const name = newRunName();
  return { name, directory: join(runsDirectory(), `${name}.${process.pid}`) };
}

/** Whether processes of a run are still there. */
export function runLives(name: string): boolean {
  return holders(name).length > 0;
}

/** Ends all of a run that still lives, and removes its folder. */
export async function endRun({ name, directory }: Run): Promise<void> {
  await Promise.all(holders(name).map((pid) => endHolder(pid, name)));
  await removeCgroups(name);
  await rm(directory, { recursive: true, force: true });
}

/** Removes what killed runs left: their programs, mounts and interfaces went with them, but not cgroups and folders. */
export async function removeLeftovers(): Promise<void> {
  await mkdir(runsDirectory(), { recursive: true });
  for (const folder of await readdir(runsDirectory())) {
    const [, name, maker] = /^(caravan-[0-9a-f]{6})\.(\d+)$/.exec(folder) ?? [];
    // The folder comes before the run's first process.
    if (!name || existsSync(`/proc/${maker}`) || runLives(name)) continue;
    await endRun({ name, directory: join(runsDirectory(), folder) });
  }
  for (const cgroup of await listCgroups(PREFIX)) {
    const [name] = /^caravan-[0-9a-f]{6}/.exec(cgroup) ?? [];
    if (name && !runLives(name)) await removeCgroups(name);
  }
}

function runsDirectory(): string {
  return join(cacheDirectory(), 'runs');
}
