import { createEngine, type RoutingEngine } from './engine.ts';
import { MOST_HOLD_MS } from './throttle.ts';
import type { Path } from './paths.ts';
import { type Effects, type LinkId, type Neighbor, type Offer, PROTOCOL, type RouterId, type RoutingMessage } from './types.ts';

interface Wire {
  ends: [RouterId, RouterId];
}

/** Routers and links in memory: messages wait until `settle` delivers them, so that a test decides what arrives and when. */
export class Mesh {
  readonly #engines = new Map<RouterId, RoutingEngine>();
  readonly #wires = new Map<LinkId, Wire>();
  #inFlight: { link: LinkId; to: RouterId; message: RoutingMessage }[] = [];
  #now = 0;
  #links = 0;
  /** Messages delivered so far. */
  delivered = 0;

  constructor(names: RouterId[], instance = 1000) {
    for (const name of names) this.restart(name, { instance });
  }

  engine(name: RouterId): RoutingEngine {
    return this.#engines.get(name)!;
  }

  /** A new router under a name; the links of its earlier life are cut. */
  restart(name: RouterId, { instance, role }: { instance: number; role?: 'edge' }): void {
    for (const [link, { ends }] of this.#wires) if (ends.includes(name)) this.cut(link);
    const info = { id: name, site: { id: name, name }, version: '1', platform: 'host', ...(role && { role }) } as const;
    this.#engines.set(name, createEngine(info, instance));
  }

  addEdges(...names: RouterId[]): void {
    for (const name of names) this.restart(name, { instance: 1000, role: 'edge' });
  }

  link(a: RouterId, b: RouterId, cost: number): LinkId {
    const link = `link-${String(++this.#links).padStart(4, '0')}`;
    this.#wires.set(link, { ends: [a, b] });
    this.#do(a, this.engine(a).linkUp(link, this.#neighbor(b), cost, this.#now));
    this.#do(b, this.engine(b).linkUp(link, this.#neighbor(a), cost, this.#now));
    return link;
  }

  cut(link: LinkId): void {
    const { ends } = this.#wires.get(link)!;
    this.#wires.delete(link);
    this.#inFlight = this.#inFlight.filter((message) => message.link !== link);
    for (const end of ends) this.#do(end, this.engine(end).linkDown(link, this.#now));
  }

  setCost(link: LinkId, cost: number): void {
    for (const end of this.#wires.get(link)!.ends) this.#do(end, this.engine(end).linkCost(link, cost, this.#now));
  }

  /** `offer('a', 'backend', 8080, 'orders', 5432)`: all that a router offers from now on. */
  offer(name: RouterId, ...addressesAndPorts: (string | number)[]): void {
    const offers: Offer[] = [];
    for (let at = 0; at < addressesAndPorts.length; at += 2)
      offers.push({
        address: String(addressesAndPorts[at]),
        type: 'tcp',
        distribution: 'balanced',
        ports: [{ port: Number(addressesAndPorts[at + 1]), targets: ['server'] }],
      });
    this.give(name, ...offers);
  }

  /** Exactly these offers. */
  give(name: RouterId, ...offers: Offer[]): void {
    this.#do(name, this.engine(name).setOffers(offers));
  }

  leave(name: RouterId): void {
    this.#do(name, this.engine(name).leave());
  }

  /** The routers that `name` knows of, sorted. */
  names(name: RouterId): RouterId[] {
    return this.engine(name)
      .routers()
      .map(({ id }) => id)
      .sort();
  }

  /** Delivers everything, also what deliveries cause; throws where that never ends. */
  settle(limit = 1_000_000): void {
    this.#deliver(limit);
    // What routers held back because much had changed before.
    for (let held = 0; held <= MOST_HOLD_MS; held += 500) {
      this.tick(500);
      this.#deliver(limit);
    }
  }

  #deliver(limit: number): void {
    for (let count = 0; this.#inFlight.length > 0; count++) {
      if (count > limit) throw new Error(`more than ${limit} messages: the routers never come to rest`);
      const { link, to, message } = this.#inFlight.shift()!;
      this.delivered++;
      // Through JSON, as on a real link: no engine may share an object with another.
      this.#do(to, this.engine(to).receive(link, JSON.parse(JSON.stringify(message)), this.#now));
    }
  }

  loseAll(): void {
    this.#inFlight = [];
  }

  tick(ms: number): void {
    this.#now += ms;
    for (const [name, engine] of this.#engines) this.#do(name, engine.tick(this.#now));
  }

  path(from: RouterId, to: RouterId): Path | undefined {
    return this.engine(from).paths.get(to);
  }

  addresses(name: RouterId): string[] {
    return this.engine(name).addresses();
  }

  /** Reachable routers that offer an address, as `name` sees it. */
  offeredAt(name: RouterId, address: string): RouterId[] {
    return this.engine(name)
      .offersOf(address)
      .filter(({ cost }) => cost !== undefined)
      .map(({ router }) => router.id);
  }

  #neighbor(name: RouterId): Neighbor {
    return { router: this.engine(name).self, protocol: PROTOCOL };
  }

  #do(from: RouterId, { send, cut }: Effects): void {
    if (cut.length > 0) throw new Error(`${from} cuts a link: ${cut[0]!.reason}`);
    for (const { link, message } of send) {
      const wire = this.#wires.get(link);
      if (wire) this.#inFlight.push({ link, to: wire.ends[0] === from ? wire.ends[1] : wire.ends[0], message });
    }
  }
}
