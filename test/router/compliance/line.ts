import { type SiteProcess, SiteProcesses } from '../site-processes.ts';
import { API_VERSION } from '../../../runtime/site/resources.ts';
import { until } from '../../support/until.ts';
import type { Addition, Door, Protocol, Server } from './protocol.ts';

/** A resource that was made and can be taken away. */
export interface Made {
  remove(): Promise<void>;
}

/** Sites in a line: clients at one end, servers at the other. */
export class Line {
  readonly #transit: number;
  readonly #secrets: readonly object[];
  #sites: SiteProcesses | undefined;
  #line: SiteProcess[] = [];
  #names = 0;
  readonly #ended: (() => Promise<unknown>)[] = [];

  /** @param secrets Those that Listeners and Connectors of the protocols name. */
  constructor(transit: number, secrets: readonly object[]) {
    this.#transit = transit;
    this.#secrets = secrets;
  }

  get near(): SiteProcess {
    return this.#line[0]!;
  }

  get far(): SiteProcess {
    return this.#line.at(-1)!;
  }

  /** The one before the far end. */
  get between(): SiteProcess {
    return this.#line.at(-2)!;
  }

  async start(): Promise<void> {
    this.#sites = await SiteProcesses.make();
    this.#line = await this.#sites.start(...Array.from({ length: this.#transit + 2 }, (_, at) => `site-${at}`));
    for (const [at, site] of this.#line.slice(1).entries()) await this.#sites.link(this.#line[at]!, site);
    for (const site of this.#line) await site.write('secrets.yaml', [...this.#secrets]);
  }

  async stop(): Promise<void> {
    await this.#sites?.stop();
    await Promise.all(this.#ended.map((end) => end()));
  }

  /** Ends with the line. */
  keep<T extends { stop(): Promise<unknown> }>(started: T): T {
    this.#ended.push(() => started.stop());
    return started;
  }

  /** A word that nothing else is called by. */
  name(protocol: Protocol): string {
    return `${protocol.name.replaceAll(' ', '-').toLowerCase()}-${++this.#names}`;
  }

  /** Offers a server. Resolves when the near end knows so many of the address. */
  async offer(
    protocol: Protocol,
    address: string,
    { port, host = '127.0.0.1', at = this.far, known }: { port: number; host?: string; at?: SiteProcess; known?: number },
  ): Promise<Made> {
    const made = await this.#make(at, 'Connector', protocol, { routingKey: address, host, port }, protocol.connector);
    if (known !== undefined) await this.knows(address, known);
    return made;
  }

  /** Until the near end knows so many servers of an address. */
  knows(address: string, count: number): Promise<unknown> {
    return this.near.status(`${count} servers of ${address}`, ({ services }) => {
      const destinations = services.find((service) => service.address === address)?.destinations ?? [];
      return destinations.length === count;
    });
  }

  /** A listener at the near end; resolves once it takes clients. */
  async listen(protocol: Protocol, address: string): Promise<Made & { door: Door }> {
    const made = await this.#make(this.near, 'Listener', protocol, { routingKey: address, port: 0 }, protocol.listener);
    const port = await this.near.status(
      `the listener for ${address}`,
      ({ listeners }) => listeners.find((listener) => listener.address === address && listener.state === 'open')?.port,
    );
    return { ...made, door: { address, port } };
  }

  /** A server that echoes, offered under an address of its own, and where clients come in. */
  async echo(protocol: Protocol): Promise<Door> {
    const server = this.keep(await protocol.startEcho(this.far));
    return this.door(protocol, server);
  }

  async door(protocol: Protocol, { port }: Pick<Server, 'port'>): Promise<Door> {
    const address = this.name(protocol);
    await this.offer(protocol, address, { port });
    return (await this.listen(protocol, address)).door;
  }

  async #make(at: SiteProcess, kind: string, { type }: Protocol, spec: object, addition?: Addition): Promise<Made> {
    const name = `${kind.toLowerCase()}-${++this.#names}`;
    const resource = { apiVersion: API_VERSION, kind, metadata: { name }, spec: { type, ...spec, ...addition?.spec } };
    await at.write(`${name}.yaml`, [resource]);
    return {
      remove: async () => {
        await at.erase(`${name}.yaml`);
        await until(`${name} to be gone`, async () => {
          const { listeners, connectors } = await at.api.status();
          return ![...listeners, ...connectors].some((one) => one.name === name);
        });
      },
    };
  }
}
