import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { AccessStatus, Problem } from '../api/types.ts';
import { AccessServer, type AccessServerOptions, type ShownCertificate } from '../link/access-server.ts';
import { TunnelServer } from '../link/tunnel-server.ts';
import { type Log, sparing } from '../log.ts';
import type { SiteStore } from './store.ts';
import type { Wishes } from './wishes.ts';

/** How long after a port could not be had it is tried again. Milliseconds. */
const RETRY_MS = 3000;

/** Where the port that the system chose is kept: the links of other sites name it. */
const ENTRY = 'access-port';

export interface AccessOptions extends Pick<AccessServerOptions, 'authority' | 'admits' | 'link' | 'request'> {
  store: SiteStore;
  /** What is shown to who comes. */
  shown: () => ShownCertificate;
  log: Log;
  changed: () => void;
}

/** The site's way in: a port for links and claims, as its RouterAccess asks for. */
export class Access {
  readonly #options: AccessOptions;
  #wished: Wishes['access'];
  #server: AccessServer | undefined;
  #tunnels: TunnelServer | undefined;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** One change after another. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  get isWanted(): boolean {
    return this.#wished !== undefined;
  }

  set(wished: Wishes['access']): void {
    if (JSON.stringify(wished) === JSON.stringify(this.#wished)) return;
    this.#wished = wished;
    this.#reopen();
  }

  /** What is to be shown is another now. */
  showAnew(): void {
    this.#server?.show(this.#options.shown());
  }

  /** Resolves when what was asked for so far is done, or could not be done. */
  settled(): Promise<void> {
    return this.#turn;
  }

  endpoints(): AccessStatus[] {
    if (!this.#server) return [];
    const bound = this.#wished?.host;
    const host =
      this.#wished?.advertisedHost ?? (bound === undefined || bound === '0.0.0.0' || bound === '::' ? ownAddress() : bound);
    return [{ host, port: this.#server.port, way: 'direct' }];
  }

  problems(): Problem[] {
    return this.#problem === undefined ? [] : [{ where: 'RouterAccess', message: this.#problem }];
  }

  async close(): Promise<void> {
    this.#wished = undefined;
    this.#reopen();
    await this.#turn;
  }

  #reopen(): void {
    this.#turn = this.#turn.then(() => {
      this.#tunnels?.close();
      this.#tunnels = undefined;
      this.#server?.close();
      this.#server = undefined;
      return this.#open();
    });
  }

  /** Opens what is not open yet. */
  async #open(): Promise<void> {
    clearTimeout(this.#retry);
    this.#problem = undefined;
    if (!this.#wished) return;
    const { log, changed } = this.#options;
    const { host, port, tunnelPort } = this.#wished;
    if (!this.#server)
      await this.#try('Links', port, async () => {
        this.#server = port === 0 ? await this.#listenOnChosenPort(host) : await this.#listen(host, port);
        // There may be another since the port was asked for.
        this.showAnew();
        log.info(`links come in at port ${this.#server.port}`);
      });
    if (this.#server && tunnelPort !== undefined)
      await this.#try('Tunnels', tunnelPort, async () => {
        const take = (connection: Duplex) => this.#server?.take(connection);
        this.#tunnels = await TunnelServer.listen({ host, port: tunnelPort, take });
        log.info(`tunnels come in at port ${tunnelPort}`);
      });
    changed();
  }

  async #try(what: string, port: number, open: () => Promise<void>): Promise<void> {
    try {
      await open();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why =
        code === 'EADDRINUSE' ? 'is in use by another program; end it, or choose another port' : `cannot be had: ${message}`;
      this.#problem = `${what} cannot come in: port ${port} ${why}.`;
      this.#options.log.warn(this.#problem);
      this.#retry = setTimeout(() => void (this.#turn = this.#turn.then(() => this.#open())), RETRY_MS).unref();
    }
  }

  /** The port of the last run where it is free, else another one. */
  async #listenOnChosenPort(host: string | undefined): Promise<AccessServer> {
    const { store } = this.#options;
    const last = Number(await store.read(ENTRY));
    const server = await this.#listen(host, last || 0).catch(() => this.#listen(host, 0));
    if (server.port !== last) await store.write(ENTRY, String(server.port));
    return server;
  }

  #listen(host: string | undefined, port: number): Promise<AccessServer> {
    const { shown, authority, admits, link, request, log } = this.#options;
    return AccessServer.listen({ host, port, ...shown(), authority, admits, link, request, log: sparing(log) });
  }
}

/** An address of this machine that other machines may reach; loopback where there is none. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
