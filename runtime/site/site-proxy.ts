import type { Problem, ProxyStatus } from '../api/types.ts';
import { CaravanError, sentence } from '../errors.ts';
import type { Log } from '../log.ts';
import { Proxy, PROXY_HOST } from '../protocols/proxy/proxy.ts';
import type { ProxyNetwork } from '../protocols/proxy/reach.ts';
import type { SiteStore } from './store.ts';

/** What a command asked for, kept from run to run. */
const ENTRY = 'proxy';
/** How long after a port could not be had it is tried again. Milliseconds. */
const RETRY_MS = 3000;

/** Where the proxy is wished. */
export interface ProxyWish {
  /** 0 lets the system choose. */
  port: number;
  /** Any other will do: the system chose it once. */
  orAnyPort: boolean;
}

export interface SiteProxyOptions {
  store: SiteStore;
  network: ProxyNetwork;
  log: Log;
  changed: () => void;
}

/** The site's proxy, as its Site resource wishes it; where that says nothing, as a command did. */
export class SiteProxy {
  readonly #options: SiteProxyOptions;
  /** The resource's, and where it stands. */
  #resource: { port: number; where: string } | undefined;
  #command: ProxyWish | undefined;
  #proxy: Proxy | undefined;
  /** What `#proxy` was opened for, or was tried to be. */
  #current: ProxyWish | undefined;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** One change after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** What a command asked for in an earlier run. */
  static async remembered(store: SiteStore): Promise<ProxyWish | undefined> {
    const text = await store.read(ENTRY);
    return text === undefined ? undefined : (JSON.parse(text) as ProxyWish);
  }

  constructor(options: SiteProxyOptions, command: ProxyWish | undefined) {
    this.#options = options;
    this.#command = command;
  }

  /** What the Site resource wishes now. Problems are told by `problems`. */
  set(resource: { port: number; where: string } | undefined): void {
    this.#resource = resource;
    void this.#inTurn(() => this.#follow());
  }

  /**
   * Opens it because a command asks, and keeps that. Without a port one that is open stays as it is. Rejects with `conflict`, and changes
   * nothing, where the port cannot be had, or where the resource wishes another.
   */
  open(port: number | undefined): Promise<ProxyStatus> {
    return this.#inTurn(async () => {
      const { status } = this;
      const resource = this.#resource;
      if (status && (port === undefined || port === status.port)) return status;
      if (resource)
        throw new CaravanError(
          'conflict',
          `The proxy's port stands in ${resource.where}: it is ${resource.port}. Change settings.proxyPort there.`,
        );
      const opened = await this.#openAt(port ?? 0).catch((error: unknown) => {
        throw new CaravanError('conflict', portProblem(error, port ?? 0), { cause: error });
      });
      const wish = { port: opened.port, orAnyPort: !port };
      try {
        await this.#options.store.write(ENTRY, JSON.stringify(wish));
      } catch (error) {
        opened.destroy();
        const { description } = this.#options.store;
        throw new CaravanError('not-saved', `The proxy is not opened: ${description} cannot be written (${sentence(error)}).`, {
          cause: error,
        });
      }
      this.#command = wish;
      this.#replace(opened, wish);
      return this.status!;
    });
  }

  /** Closes what a command opened. Rejects with `conflict` where the resource wishes it, and with `not-found` where there is none. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#resource)
        throw new CaravanError('conflict', `The proxy stands in ${this.#resource.where}; take settings.proxyPort out there.`);
      if (!this.#command) throw new CaravanError('not-found', 'No proxy is open here.');
      await this.#options.store.remove(ENTRY);
      this.#command = undefined;
      await this.#follow();
    });
  }

  get status(): ProxyStatus | undefined {
    return this.#proxy && { host: PROXY_HOST, port: this.#proxy.port };
  }

  problems(): Problem[] {
    if (this.#problem === undefined) return [];
    return [{ where: this.#resource?.where ?? 'caravan proxy', message: this.#problem }];
  }

  /** Resolves when what was asked for so far is done, or could not be done. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /** Takes no further clients; what is under way goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inTurn(() => {
      clearTimeout(this.#retry);
      this.#proxy?.close();
      return Promise.resolve();
    });
  }

  /** Ends what is under way, too. */
  destroy(): void {
    this.#proxy?.destroy();
  }

  /** Brings the proxy to what is wished. */
  async #follow(): Promise<void> {
    if (this.#closed) return;
    const wished = this.#resource ? { port: this.#resource.port, orAnyPort: false } : this.#command;
    if (this.#proxy && wished && isMet(wished, this.#current)) return;
    clearTimeout(this.#retry);
    const before = this.#problem;
    if (!wished) {
      if (this.#proxy || before !== undefined) this.#replace(undefined, undefined);
      return;
    }
    try {
      this.#replace(await this.#openAsWished(wished), wished);
    } catch (error) {
      const problem = portProblem(error, wished.port);
      if (this.#proxy || problem !== before) this.#replace(undefined, wished, problem);
      this.#retry = setTimeout(() => void this.#inTurn(() => this.#follow()), RETRY_MS).unref();
    }
  }

  async #openAsWished({ port, orAnyPort }: ProxyWish): Promise<Proxy> {
    try {
      return await this.#openAt(port);
    } catch (error) {
      if (!orAnyPort) throw error;
      return this.#openAt(0);
    }
  }

  #openAt(port: number): Promise<Proxy> {
    return Proxy.open(port, this.#options.network, this.#options.log);
  }

  #replace(proxy: Proxy | undefined, wish: ProxyWish | undefined, problem?: string): void {
    const { log, changed } = this.#options;
    this.#proxy?.close();
    clearTimeout(this.#retry);
    this.#proxy = proxy;
    this.#current = wish;
    this.#problem = problem;
    if (problem) log.warn(problem);
    if (proxy) log.info(`the proxy is at ${PROXY_HOST}:${proxy.port}`);
    changed();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function isMet(wished: ProxyWish, current: ProxyWish | undefined): boolean {
  return current !== undefined && wished.port === current.port;
}

function portProblem(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    { EADDRINUSE: 'is in use by another program; end it, or choose another port', EACCES: 'needs rights that this process does not have; choose one above 1023' }[code ?? ''] ?? `cannot be had: ${message}`; // prettier-ignore
  return `The proxy cannot be opened: port ${port} on ${PROXY_HOST} ${why}.`;
}
