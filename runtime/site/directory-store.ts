import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { SiteStore } from './store.ts';

const ENTRY = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)?$/;
const DRAFT = '.tmp';

/**
 * A site's memory as a folder. Its files are readable by their user alone, and so are the folders made here; a folder that was there
 * before keeps its mode: it may hold more than this.
 */
export function directoryStore(path: string): SiteStore {
  const folder = resolve(path);
  const pathOf = (name: string) => {
    if (!ENTRY.test(name)) throw new Error(`not a name of an entry: ${name}`);
    return join(folder, name);
  };
  return {
    description: `the folder ${folder}`,
    read(name) {
      return orUndefined(() => readFile(pathOf(name), 'utf8'));
    },
    async write(name, text) {
      const entry = pathOf(name);
      await mkdir(dirname(entry), { recursive: true, mode: 0o700 });
      const draft = `${entry}.${randomBytes(4).toString('hex')}${DRAFT}`;
      try {
        await writeFile(draft, text, { mode: 0o600 });
        await rename(draft, entry);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {}); // a full disk is to get its bytes back
        throw error;
      }
    },
    async remove(name) {
      await rm(pathOf(name), { force: true });
    },
    async list(prefix) {
      const [inFolder] = prefix.split('/', 1);
      const names = prefix.includes('/') ? await namesIn(join(folder, inFolder!), `${inFolder}/`) : await allNames(folder);
      return names.filter((name) => name.startsWith(prefix)).sort();
    },
  };
}

/** Entries of the folder and of its own folders, no deeper. */
async function allNames(folder: string): Promise<string[]> {
  const entries = (await orUndefined(() => readdir(folder, { withFileTypes: true }))) ?? [];
  const folders = entries.filter((entry) => entry.isDirectory() && ENTRY.test(entry.name));
  const within = await Promise.all(folders.map(({ name }) => namesIn(join(folder, name), `${name}/`)));
  return [...entries.filter((entry) => entry.isFile()).map(({ name }) => name), ...within.flat()].filter(isEntry);
}

async function namesIn(folder: string, prefix: string): Promise<string[]> {
  const entries = (await orUndefined(() => readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => prefix + name)
    .filter(isEntry);
}

function isEntry(name: string): boolean {
  return ENTRY.test(name) && !name.endsWith(DRAFT);
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
