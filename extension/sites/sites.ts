import type { DisposableLike, LogLike } from '../like.ts';
import type { SiteApi, OpenSite } from './site-api.ts';
import { isLaptop, type SiteRef, siteKey } from './site-ref.ts';
import { type Backoff, type SiteView, WatchedSite } from './watched-site.ts';

/** Every watched site holds a connection to its cluster open; more than this many are listed without their inside. */
export const MAX_WATCHED_SITES = 32;

const BACKOFF: Backoff = { firstMs: 500, mostMs: 15_000 };

/** Follows every site that is known, wherever it was found. */
export class Sites implements DisposableLike {
  readonly #open: OpenSite;
  readonly #changed: () => void;
  readonly #log: LogLike;
  readonly #watched = new Map<string, WatchedSite>();
  /** By where they were found: each place says what it has now. */
  readonly #found = new Map<string, SiteRef[]>();

  constructor(open: OpenSite, changed: () => void, log: LogLike) {
    this.#open = open;
    this.#changed = changed;
    this.#log = log;
  }

  get views(): SiteView[] {
    return [...this.#watched.values()].map(({ view }) => view);
  }

  get laptop(): SiteView | undefined {
    return this.views.find(({ ref }) => isLaptop(ref));
  }

  view(ref: SiteRef): SiteView | undefined {
    return this.#watched.get(siteKey(ref))?.view;
  }

  api(ref: SiteRef): SiteApi {
    return this.#open(ref);
  }

  /** Watches what `place` has now, and no longer what it had before. */
  set(place: string, refs: SiteRef[]): void {
    this.#found.set(place, refs);
    const wanted = new Map([...this.#found.values()].flat().map((ref) => [siteKey(ref), ref]));
    for (const [key, site] of this.#watched)
      if (!wanted.has(key)) {
        site.close();
        this.#watched.delete(key);
      }
    for (const [key, ref] of wanted)
      if (!this.#watched.has(key) && this.#watched.size < MAX_WATCHED_SITES)
        this.#watched.set(key, new WatchedSite(ref, this.#open, this.#changed, this.#log, BACKOFF));
    this.#changed();
  }

  dispose(): void {
    for (const site of this.#watched.values()) site.close();
    this.#watched.clear();
  }
}
