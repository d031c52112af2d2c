import { stringify } from 'yaml';
import { parseResources } from './resources.ts';
import type { ResourceSource, WishedState } from './source.ts';
import type { SiteStore } from './store.ts';

const FOLDER = 'resources/';

/** The resources that commands made: kept in the site's store, one entry a resource, with the Secret that belongs to it. */
export class StoreSource implements ResourceSource {
  readonly #store: SiteStore;
  #changed: ((state: WishedState) => void) | undefined;

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

  /** @param documents the resource first, as objects that are written as YAML */
  async put(kind: string, name: string, documents: object[]): Promise<void> {
    await this.#store.write(
      entryOf(kind, name),
      documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n'),
    );
    await this.#reload();
  }

  async has(kind: string, name: string): Promise<boolean> {
    return (await this.#store.read(entryOf(kind, name))) !== undefined;
  }

  async remove(kind: string, name: string): Promise<void> {
    await this.#store.remove(entryOf(kind, name));
    await this.#reload();
  }

  async #reload(): Promise<void> {
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
