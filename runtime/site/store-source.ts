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
  /** What ends with this process at the latest, by entry. */
  readonly #held = new Map<string, string>();
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
   * @param hold whether it is not kept in the store: somebody's connection holds it
   */
  async put(kind: string, name: string, documents: object[], hold = false): Promise<void> {
    const text = documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n');
    const { resources, problems } = parseResources(text, 'the request');
    const [problem] = [...problems, ...wishesOf(resources).problems];
    if (problem) throw new CaravanError('bad-request', problem.message);
    const entry = entryOf(kind, name);
    if (hold) {
      await this.#store.remove(entry);
      this.#held.set(entry, text);
    } else {
      await this.#store.write(entry, text);
      this.#held.delete(entry);
    }
    await this.#reload();
  }

  async has(kind: string, name: string): Promise<boolean> {
    const entry = entryOf(kind, name);
    return this.#held.has(entry) || (await this.#store.read(entry)) !== undefined;
  }

  async remove(kind: string, name: string): Promise<void> {
    const entry = entryOf(kind, name);
    this.#held.delete(entry);
    await this.#store.remove(entry);
    await this.#reload();
  }

  #reload(): Promise<void> {
    const reading = this.#turn.then(() => this.#read());
    this.#turn = reading.catch(() => {});
    return reading;
  }

  async #read(): Promise<void> {
    const state: WishedState = { resources: [], problems: [] };
    const texts = new Map(this.#held);
    for (const entry of await this.#store.list(FOLDER)) texts.set(entry, (await this.#store.read(entry)) ?? '');
    for (const [entry, text] of texts) {
      const { resources, problems } = parseResources(text, entry.slice(FOLDER.length));
      state.resources.push(...resources.map((resource) => ({ ...resource, where: 'command' })));
      state.problems.push(...problems);
    }
    this.#changed?.(state);
  }
}

function entryOf(kind: string, name: string): string {
  return `${FOLDER}${kind.toLowerCase()}-${name}`;
}
