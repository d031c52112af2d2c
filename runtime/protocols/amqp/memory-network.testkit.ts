import { type Duplex, duplexPair, type Readable, Writable } from 'node:stream';
import type { MessageNetwork, NetworkHub, ReceivingRouter, Served } from './message-network.ts';

/** A network of the test in memory: any router reaches any other, until it is cut off. */
export class MemoryNetwork {
  readonly #routers = new Map<string, MemoryRouter>();
  /** Streams that were opened. */
  opened = { connect: 0, multicast: 0 };

  /** @param cost Of the paths to it. */
  router(name: string, cost = 1): MemoryRouter {
    const router = new MemoryRouter(name, cost, this);
    this.#routers.set(name, router);
    return router;
  }

  /** Nobody reaches this router any more. */
  cut(name: string): void {
    this.#set(name, true);
  }

  mend(name: string): void {
    this.#set(name, false);
  }

  others(than: MemoryRouter): MemoryRouter[] {
    return [...this.#routers.values()].filter((router) => router !== than && !router.isCut);
  }

  /** A stream between two routers, which breaks with either. The far end is given to the other's hub. */
  open(from: MemoryRouter, to: string, address: string): Duplex {
    const other = this.#routers.get(to);
    if (!other || other.isCut || from.isCut || !other.hub) throw new Error(`no path leads to ${to}`);
    const [near, far] = duplexPair({ highWaterMark: 64 * 1024 });
    for (const [one, end] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        if (!end.destroyed && !(one.readableEnded && one.writableFinished)) end.destroy(new Error('link-lost'));
      });
    }
    for (const router of [from, other]) {
      router.streams.add(near);
      near.on('close', () => router.streams.delete(near));
    }
    other.hub.accept(far, address);
    return near;
  }

  changed(): void {
    for (const router of this.#routers.values()) router.changed();
  }

  #set(name: string, isCut: boolean): void {
    const router = this.#routers.get(name)!;
    router.isCut = isCut;
    if (isCut) for (const stream of router.streams) stream.destroy(new Error('link-lost'));
    this.changed();
  }
}

export class MemoryRouter implements MessageNetwork {
  readonly router: string;
  readonly cost: number;
  readonly streams = new Set<Duplex | Readable>();
  readonly served = new Map<string, Served>();
  hub: NetworkHub | undefined;
  isCut = false;
  readonly #network: MemoryNetwork;
  #changed: () => void = () => {};
  #tells = false;

  constructor(router: string, cost: number, network: MemoryNetwork) {
    this.router = router;
    this.cost = cost;
    this.#network = network;
  }

  serve(address: string, served: Served): void {
    if (served.receivers > 0) this.served.set(address, served);
    else this.served.delete(address);
    if (this.#tells) return;
    this.#tells = true;
    setImmediate(() => {
      this.#tells = false;
      this.#network.changed();
    });
  }

  destinations(address: string): ReceivingRouter[] {
    if (this.isCut) return [];
    return this.#network.others(this).flatMap(({ router, cost, served }) => {
      const here = served.get(address);
      return here ? [{ router, site: router, cost, receivers: here.receivers }] : [];
    });
  }

  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  changed(): void {
    this.#changed();
  }

  async connect(router: string, address: string): Promise<Duplex> {
    this.#network.opened.connect++;
    await turn();
    return this.#network.open(this, router, address);
  }

  async multicast(routers: readonly string[], address: string): Promise<Writable> {
    this.#network.opened.multicast++;
    await turn();
    const branches = routers.map((router) => this.#network.open(this, router, address));
    const all = new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk, _encoding, written) => {
        void Promise.all(branches.map((branch) => new Promise<void>((taken) => branch.write(chunk, () => taken())))).then(() =>
          written(),
        );
      },
      final: (written) => {
        for (const branch of branches) branch.end();
        written();
      },
      destroy: (error, written) => {
        for (const branch of branches) if (error) branch.destroy(error);
        written(error);
      },
    });
    for (const branch of branches) {
      branch.resume();
      branch.on('error', (error) => all.destroy(error));
    }
    return all;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
