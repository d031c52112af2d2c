import type { LocalRef } from '../../runtime/api/laptop/local-router.ts';
import { runningSites, socketDirectory } from '../../runtime/api/sockets.ts';
import { watchFolder } from '../clusters/file-watcher.ts';
import type { DisposableLike } from '../like.ts';

/** Where folders cannot be watched, running sites are looked for this often. Milliseconds. */
const POLL_MS = 5000;

export interface LocalSitesOptions {
  running?: typeof runningSites;
  folder?: string;
  pollMs?: number;
}

/** Finds the sites that run on this computer: the laptop's own, the demo's, and every `caravan run` of this user. */
export class LocalSites implements DisposableLike {
  readonly #found: (refs: LocalRef[]) => void;
  readonly #options: Required<LocalSitesOptions>;
  readonly #timer: NodeJS.Timeout;
  readonly #watcher: DisposableLike;
  #last = '';
  #looking: Promise<void> | undefined;

  constructor(found: (refs: LocalRef[]) => void, options: LocalSitesOptions = {}) {
    this.#found = found;
    this.#options = { running: runningSites, folder: socketDirectory(), pollMs: POLL_MS, ...options };
    const look = () => void this.look();
    this.#timer = setInterval(look, this.#options.pollMs).unref();
    this.#watcher = watchFolder(this.#options.folder, look);
    look();
  }

  /** Looks now. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#watcher.dispose();
  }

  async #look(): Promise<void> {
    const sites = await this.#options.running().catch(() => []);
    const refs = sites.map(({ name, socket }): LocalRef => ({ where: 'local', name, socket }));
    const now = refs.map(({ socket }) => socket).join('\n');
    if (now === this.#last) return;
    this.#last = now;
    this.#found(refs);
  }
}
