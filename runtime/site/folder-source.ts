import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CaravanError, sentence } from '../errors.ts';
import { parseResources, type Resource } from './resources.ts';
import type { ResourceSource, WishedState } from './source.ts';

/** Editors write a file in several steps; they are taken together. Milliseconds. */
const SETTLE_MS = 50;

/** Resources from a YAML file, or from every `.yaml` and `.yml` file of a folder; read again when they change. */
export class FolderSource implements ResourceSource {
  readonly #path: string;
  /** What is watched: the folder, also for a single file, since editors replace files. */
  #folder: string;
  #onlyFile: string | undefined;
  /** The last good resources of each file. */
  #good = new Map<string, Resource[]>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** One reading after another: an earlier one that took longer must not have the last word. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.#folder = path;
  }

  /** Rejects with `not-found` where there is no such file or folder. */
  async watch(changed: (state: WishedState) => void): Promise<void> {
    const stats = await stat(this.#path).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no such file or folder' : error.message;
      throw new CaravanError('not-found', `The configuration ${this.#path} cannot be read: ${why}.`);
    });
    if (!stats.isDirectory()) {
      this.#folder = dirname(this.#path);
      this.#onlyFile = basename(this.#path);
    }
    this.#watcher = watch(this.#folder, () => {
      clearTimeout(this.#timer);
      // Who throws at what it is told has a defect, and says so itself; the next change is told all the same.
      this.#timer = setTimeout(() => void this.#tell(changed).catch(() => {}), SETTLE_MS);
    });
    this.#watcher.on('error', () => {});
    await this.#tell(changed);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#watcher?.close();
    clearTimeout(this.#timer);
    return Promise.resolve();
  }

  #tell(changed: (state: WishedState) => void): Promise<void> {
    const telling = this.#turn.then(async () => {
      const state = await this.#read();
      if (!this.#closed) changed(state);
    });
    this.#turn = telling.catch(() => {});
    return telling;
  }

  async #read(): Promise<WishedState> {
    const state: WishedState = { resources: [], problems: [] };
    let files: string[] = [];
    try {
      files = this.#onlyFile ? [this.#onlyFile] : (await readdir(this.#folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
    } catch (error) {
      // The folder itself went away: what it said stays, until it is back.
      state.problems.push({ where: this.#path, message: `It cannot be read: ${sentence(error)}.` });
      files = [...this.#good.keys()];
    }
    const good = new Map<string, Resource[]>();
    for (const file of files) {
      const read = await this.#readFile(file);
      good.set(file, read.resources);
      state.resources.push(...read.resources);
      state.problems.push(...read.problems);
    }
    this.#good = good;
    return state;
  }

  /** As long as something in a file is wrong, nothing that it once said is taken away. */
  async #readFile(file: string): Promise<WishedState> {
    let read: WishedState;
    try {
      read = parseResources(await readFile(join(this.#folder, file), 'utf8'), file);
    } catch (error) {
      read = { resources: [], problems: [{ where: file, message: `It cannot be read: ${sentence(error)}.` }] };
    }
    if (read.problems.length === 0) return read;
    const isNew = new Set(read.resources.map(keyOf));
    const kept = (this.#good.get(file) ?? []).filter((resource) => !isNew.has(keyOf(resource)));
    return { resources: [...read.resources, ...kept], problems: read.problems };
  }
}

function keyOf({ kind, name }: Resource): string {
  return `${kind}/${name}`;
}
