import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../runtime/api/types.ts';
import { sentence } from '../../runtime/errors.ts';
import type { LogLike } from '../like.ts';
import { redact } from '../../runtime/redact.ts';
import type { OpenSite } from './site-api.ts';
import { type SiteRef, siteLabel } from './site-ref.ts';

/** `lost`: it answered once, or never did, and `message` says what stands in the way; it is tried again. */
export interface SiteView {
  ref: SiteRef;
  state: 'connecting' | 'live' | 'lost';
  /** The last that was heard; kept while the connection is lost. */
  status?: Status;
  message?: string;
}

export interface Backoff {
  firstMs: number;
  mostMs: number;
}

/** Follows a site's status over its management API, and connects again whenever the connection ends. */
export class WatchedSite {
  view: SiteView;
  readonly #stop = new AbortController();

  constructor(ref: SiteRef, open: OpenSite, changed: () => void, log: LogLike, backoff: Backoff) {
    this.view = { ref, state: 'connecting' };
    const update = (view: Partial<SiteView>) => {
      if (this.#stop.signal.aborted) return;
      this.view = { ...this.view, ...view };
      changed();
    };
    void this.#follow(ref, open, update, log, backoff);
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(ref: SiteRef, open: OpenSite, update: (view: Partial<SiteView>) => void, log: LogLike, backoff: Backoff) {
    const { signal } = this.#stop;
    for (let wait = backoff.firstMs; !signal.aborted; wait = Math.min(wait * 2, backoff.mostMs)) {
      let message = 'The connection ended.';
      try {
        for await (const status of open(ref).watch(signal)) {
          if (this.view.state !== 'live') log.info(`${siteLabel(ref)}: following its status`);
          wait = backoff.firstMs;
          update({ state: 'live', status, message: '' });
        }
      } catch (error) {
        message = sentence(error);
      }
      if (signal.aborted) return;
      log.info(`${siteLabel(ref)}: ${redact(message)} Trying again in ${wait / 1000} s`);
      update({ state: 'lost', message });
      await sleep(wait, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
