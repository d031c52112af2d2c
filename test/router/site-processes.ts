import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ApiClient } from '../../runtime/api/client.ts';
import { PROCESS_ENVIRONMENT } from '../../runtime/api/process-environment.ts';
import type { Protocol, Status } from '../../runtime/api/types.ts';
import { API_VERSION } from '../../runtime/site/resources.ts';
import { Foreground } from '../support/caravan.ts';
import { until } from '../support/until.ts';
import type { Host } from './hosts.ts';

export interface LinkOptions {
  cost?: number;
  /** The address of the first site that leads to it from where the other is. */
  at?: string;
  /** A port of loopback that leads to the first site. */
  through?: number;
}

/** Sites as processes of their own, on loopback, each with its files in one temporary folder that `stop` removes. */
export class SiteProcesses {
  readonly folder: string;
  readonly #sites: SiteProcess[] = [];
  /** Settle without an error when what was begun is up, or has failed. */
  readonly #begun: Promise<unknown>[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<SiteProcesses> {
    return new SiteProcesses(await mkdtemp(join(tmpdir(), 'caravan-')));
  }

  /** Sites that take links. */
  async start<Names extends string[]>(...names: Names): Promise<{ [At in keyof Names]: SiteProcess }> {
    return (await Promise.all(names.map((name) => this.#begin(new SiteProcess(name, join(this.folder, name)))))) as {
      [At in keyof Names]: SiteProcess;
    };
  }

  /** A site that hangs on those that it links with, and takes no links. */
  async startEdge(name: string): Promise<SiteProcess> {
    return this.#begin(new SiteProcess(name, join(this.folder, name), { edge: true }));
  }

  /** A site that takes no links, with more in its environment. */
  async startWith(env: NodeJS.ProcessEnv, name: string): Promise<SiteProcess> {
    return this.#begin(new SiteProcess(name, join(this.folder, name), { edge: true, env }));
  }

  /** A site on a host of its own, which takes links at every address of that host. */
  async startOn(host: Host, name: string): Promise<SiteProcess> {
    return this.#begin(new SiteProcess(name, join(this.folder, name), { host }));
  }

  /** `from` issues a token, `to` redeems it; resolves once the link is up. Returns the link's name at `to`. */
  async link(from: SiteProcess, to: SiteProcess, { cost, at, through }: LinkOptions = {}): Promise<string> {
    const issued = await from.api.issueToken({});
    const yaml = issued.yaml.replace(/https:\/\/([^:]+):(\d+)/, (_, host, port) => `https://${at ?? host}:${through ?? port}`);
    const { link } = await to.api.redeemToken({ yaml, ...(cost !== undefined && { cost }) });
    await to.status(`link ${link} up`, ({ links }) => links.some(({ id, state }) => id === link && state === 'up'));
    return link;
  }

  async stop(): Promise<void> {
    // One that is about to start would otherwise do so after this.
    await Promise.all(this.#begun);
    await Promise.all(this.#sites.map((site) => site.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #begin(site: SiteProcess): Promise<SiteProcess> {
    this.#sites.push(site);
    const up = site.start();
    this.#begun.push(up.catch(() => {}));
    await up;
    return site;
  }
}

export class SiteProcess {
  readonly name: string;
  readonly folder: string;
  readonly socket: string;
  readonly api: ApiClient;
  readonly host: Host | undefined;
  readonly #edge: boolean;
  readonly #env: NodeJS.ProcessEnv;
  #process: Foreground | undefined;

  constructor(
    name: string,
    folder: string,
    { host, edge = false, env = {} }: { host?: Host; edge?: boolean; env?: NodeJS.ProcessEnv } = {},
  ) {
    this.name = name;
    this.host = host;
    this.#edge = edge;
    this.#env = env;
    this.folder = folder;
    this.socket = `${folder}.sock`;
    this.api = ApiClient.overSocket(this.socket);
  }

  get configFolder(): string {
    return join(this.folder, 'config');
  }

  get log(): string {
    return this.#process?.err ?? '';
  }

  async start(): Promise<void> {
    await mkdir(this.configFolder, { recursive: true });
    const access = {
      apiVersion: API_VERSION,
      kind: 'RouterAccess',
      metadata: { name: 'links' },
      spec: { roles: [{ name: 'inter-router', port: 0 }], ...(!this.host && { bindHost: '127.0.0.1' }) },
    };
    await this.write('site.yaml', [
      { apiVersion: API_VERSION, kind: 'Site', metadata: { name: this.name }, spec: { edge: this.#edge } },
      ...(this.#edge ? [] : [access]),
    ]);
    const data = join(this.folder, 'data');
    const args = ['run', '--config', this.configFolder, '--data', data, '--socket', this.socket];
    this.#process = new Foreground(args, { ...PROCESS_ENVIRONMENT, ...this.#env }, this.host?.inside);
    await this.#process.prints(/is ready/);
  }

  /** Puts a file of resources into the site's configuration. */
  async write(file: string, resources: object[] | string): Promise<void> {
    const text = typeof resources === 'string' ? resources : resources.map((resource) => stringify(resource)).join('---\n');
    await writeFile(join(this.configFolder, file), text);
  }

  /** Takes a file away from the site's configuration. */
  async erase(file: string): Promise<void> {
    await rm(join(this.configFolder, file));
  }

  /** Resolves to what `look` finds in the status, as soon as it does. */
  status<T>(what: string, look: (status: Status) => T | undefined | false): Promise<T> {
    return until(`${what} at ${this.name}`, async () => look(await this.api.status()));
  }

  /** A listener on a port that the system chooses; resolves to the port once it takes connections. */
  async listen(address: string, type: Protocol = 'tcp'): Promise<number> {
    const { name } = await this.api.listen({ address, port: 0, type });
    return this.status(
      `listener ${name} open`,
      ({ listeners }) => listeners.find((listener) => listener.name === name && listener.state === 'open')?.port,
    );
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Stops it in its tracks: its connections stay, and nothing answers on them. `wake` lets it go on. */
  freeze(): void {
    this.#process?.process.kill('SIGSTOP');
  }

  wake(): void {
    this.#process?.process.kill('SIGCONT');
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    this.#process?.process.kill('SIGKILL');
    await this.#process?.ended;
  }
}
