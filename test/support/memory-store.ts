import type { SiteStore } from '../../runtime/site/store.ts';

/** A site's store that lives as long as its test. */
export class MemoryStore implements SiteStore {
  readonly description = 'the memory of a test';
  readonly entries = new Map<string, string>();
  /** Writing entries whose name starts with this fails. */
  broken: string | undefined;

  read(name: string): Promise<string | undefined> {
    return Promise.resolve(this.entries.get(name));
  }

  async write(name: string, text: string): Promise<void> {
    if (this.broken !== undefined && name.startsWith(this.broken)) throw new Error('no space left');
    this.entries.set(name, text);
  }

  async remove(name: string): Promise<void> {
    this.entries.delete(name);
  }

  list(prefix: string): Promise<string[]> {
    return Promise.resolve([...this.entries.keys()].filter((name) => name.startsWith(prefix)).sort());
  }
}
