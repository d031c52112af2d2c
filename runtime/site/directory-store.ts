import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { SiteStore } from './store.ts';

/** A site's memory as a folder that only its user can read. */
export function directoryStore(path: string): SiteStore {
  const folder = resolve(path);
  const made = async (wanted: string) => {
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  };
  const pathOf = (name: string) => {
    if (!/^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)?$/.test(name)) throw new Error(`not a name of an entry: ${name}`);
    return join(folder, name);
  };
  return {
    description: `the folder ${folder}`,
    async read(name) {
      try {
        return await readFile(pathOf(name), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, text) {
      const entry = pathOf(name);
      await made(dirname(entry));
      const draft = `${entry}.${randomBytes(4).toString('hex')}.tmp`;
      await writeFile(draft, text, { mode: 0o600 });
      await rename(draft, entry);
    },
    async remove(name) {
      await rm(pathOf(name), { force: true });
    },
    async list(prefix) {
      await made(folder);
      const entries = await readdir(folder, { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
        .map((entry) => (entry.parentPath === folder ? '' : `${entry.parentPath.slice(folder.length + 1)}/`) + entry.name)
        .filter((name) => name.startsWith(prefix))
        .sort();
    },
  };
}
