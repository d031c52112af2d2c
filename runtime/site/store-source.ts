import { stringify } from 'yaml';
import { CaravanError } from '../errors.ts';
import { parseResources } from './resources.ts';
import { wishesOf } from './wishes.ts';
import type { ResourceSource, WishedState } from './source.ts';
import type { SiteStore } from './store.ts';

const FOLDER = 'resources/';

/** The resources that commands made: kept in the site's store, one entry a resource, with the Secret that belongs to it. */
export class StoreSource implements ResourceSource {
  readonly #store: SiteStore;
  #changed: ((state: WishedState) => void) | undefined;
  /** One reading after another: an earlier one that took longer must not have the last word. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: SiteStore) {
    this.#store = store;
  }

  async watch(changed: (state: WishedState) => void): Promise<void> {
    this.#changed = changed;
    await this.#reload();
  }

  close(): Promise<void> {
    this.#changed = undefined;
    return Promise.resolve();
  }

  /**
   * Rejects with `bad-request`, and keeps nothing, where a document is no resource, or one that cannot be used.
   * @param documents the resource first, as objects that are written as YAML
   */
  async put(kind: string, name: string, documents: object[]): Promise<void> {
    const text = documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n');
    const { resources, problems } = parseResources(text, 'the request');
    const [problem] = [...problems, ...wishesOf(resources).problems];
    if (problem) throw new CaravanError('bad-request', problem.message);
    await this.#store.write(entryOf(kind, name), text);
    await this.#reload();
  }

  async has(kind: string, name: string): Promise<boolean> {
    return (await this.#store.read(entryOf(kind, name))) !== undefined;
  }

  async remove(kind: string, name: string): Promise<void> {
    await this.#store.remove(entryOf(kind, name));
    await this.#reload();
  }

  #reload(): Promise<void> {
    const reading = this.#turn.then(() => this.#read());
    this.#turn = reading.catch(() => {});
    return reading;
  }

  async #read(): Promise<void> {
    const state: WishedState = { resources: [], problems: [] };
    for (const entry of await this.#store.list(FOLDER)) {
      const { resources, problems } = parseResources((await this.#store.read(entry)) ?? '', entry.slice(FOLDER.length));
      state.resources.push(...resources.map((resource) => ({ ...resource, where: 'command' })));
      state.problems.push(...problems);
    }
    this.#changed?.(state);
  }
}

function entryOf(kind: string, name: string): string {
  return `${FOLDER}${kind.toLowerCase()}-${name}`;
}
