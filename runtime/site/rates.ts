import type { LinkStatus } from '../api/types.ts';
import { Rate } from '../router/rate.ts';

/** Over how long a rate is taken. Milliseconds. */
const SPAN_MS = 5000;
/** What routers say to one another on a link that carries nothing is less than this. Bytes a second. */
const OWN_TALK = 1024;

export interface RatesOptions {
  /** Those of listeners: whether any of them is another one now. */
  takeListeners: (seconds: number) => boolean;
  links: () => LinkStatus[];
  /** Called when there is another rate: a site on which nothing moves has nothing to say. */
  changed: () => void;
}

/** Has the rates of listeners and links taken again and again. */
export class Rates {
  readonly #options: RatesOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #links = new Map<string, Rate>();
  #at = performance.now();

  constructor(options: RatesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#take(), SPAN_MS).unref();
  }

  /** Bytes a second, both ways together. */
  ofLink(link: LinkStatus): number | undefined {
    return this.#links.get(keyOf(link))?.perSecond;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #take(): void {
    const now = performance.now();
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    const { takeListeners, links, changed } = this.#options;
    let isNews = takeListeners(seconds);
    const known = new Set<string>();
    for (const link of links()) {
      const key = keyOf(link);
      known.add(key);
      const rate = this.#links.get(key) ?? new Rate();
      this.#links.set(key, rate);
      if (rate.take((link.bytesIn ?? 0) + (link.bytesOut ?? 0), seconds, OWN_TALK)) isNews = true;
    }
    for (const key of this.#links.keys()) if (!known.has(key)) this.#links.delete(key);
    if (isNews) changed();
  }
}

function keyOf({ direction, id }: LinkStatus): string {
  return `${direction} ${id}`;
}
