import type { DisposableLike, LogLike } from '../like.ts';
import type { SiteApi, OpenSite } from './site-api.ts';
import { isLaptop, type SiteRef, siteKey } from './site-ref.ts';
import { type Backoff, type SiteView, WatchedSite } from './watched-site.ts';

/** Every site in a cluster holds a connection to it open; more than this many are listed without their inside. */
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
    for (const [key, site] of this.#watched) {
      const ref = wanted.get(key);
      if (ref && sameWay(ref, site.view.ref)) continue;
      site.close();
      this.#watched.delete(key);
    }
    let inClusters = this.views.filter(({ ref }) => ref.where === 'cluster').length;
    for (const [key, ref] of wanted) {
      if (this.#watched.has(key)) continue;
      if (ref.where === 'cluster' && ++inClusters > MAX_WATCHED_SITES) continue;
      this.#watched.set(key, new WatchedSite(ref, this.#open, this.#changed, this.#log, BACKOFF));
    }
    this.#changed();
  }

  dispose(): void {
    for (const site of this.#watched.values()) site.close();
    this.#watched.clear();
  }
}

/** Of two refs with one key: whether the site is reached the same way. */
function sameWay(a: SiteRef, b: SiteRef): boolean {
  return a.where === 'cluster' ? b.where === 'cluster' && a.kubeconfig === b.kubeconfig : true;
}
