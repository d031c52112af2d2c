/**
 * What a site must remember between runs: its identity, the grants it gave, the links it was let into, what commands exposed.
 * On a host it is a folder of files with mode 0600; on Kubernetes, Secrets of the namespace. Entries are small texts.
 */
export interface SiteStore {
  /** For people: `the folder ~/.local/share/caravan/laptop`, `Secrets of the namespace shop`. */
  readonly description: string;
  /** Undefined where there is no such entry. */
  read(name: string): Promise<string | undefined>;
  /** Whole or not at all: a reader never sees half an entry. */
  write(name: string, text: string): Promise<void>;
  /** No error where there is no such entry. */
  remove(name: string): Promise<void>;
  /** Names that start with `prefix`, sorted. Names are lower case letters, digits, `-`, `.`, and at most one `/` folder. */
  list(prefix: string): Promise<string[]>;
}
