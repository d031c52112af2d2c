import { createEngine, type RoutingEngine } from '../../runtime/routing/engine.ts';
import { INSTANCES_PER_MS, MAX_HOPS } from '../../runtime/routing/limits.ts';
import { membersOf, sharesByLink } from '../../runtime/routing/multicast.ts';
import {
  type Effects,
  type LinkId,
  type Offer,
  type Place,
  PROTOCOL,
  type RouterId,
  type RoutingMessage,
} from '../../runtime/routing/types.ts';
import type { Random } from './random.ts';
import { Timeline } from './timeline.ts';

/** What the wires do to messages. Probabilities from 0 to 1; delays in milliseconds. */
export interface Weather {
  loss: number;
  duplication: number;
  leastDelay: number;
  mostDelay: number;
}

/** What routers' clocks show when the simulation begins, milliseconds: far enough from 0 to be set back. */
const EPOCH = 1_700_000_000_000;

/** Coarser than in the product, for speed. */
const TICK_MS = 250;

export const FAIR: Weather = { loss: 0, duplication: 0, leastDelay: 1, mostDelay: 1 };

export interface Wire {
  id: LinkId;
  ends: [RouterId, RouterId];
  cost: number;
}

/** What became of something that was sent to many. */
export interface Multicast {
  /** Who got it, once for each time. */
  received: RouterId[];
  /** The links that it passed, with the end that it came from, once for each copy. */
  copies: string[];
}

interface Node {
  engine: RoutingEngine;
  /** Raised by every restart: ticks and messages of an earlier life are dropped. */
  life: number;
  offers: string[];
  /** Links that this life was told of, and that were not taken from it since. */
  links: Set<LinkId>;
  /** What this router's clock shows more than the simulation's. */
  skew: number;
}

/** Routers, wires between them, and a clock that jumps from event to event. The engines are the product's own. */
export class Network {
  readonly timeline = new Timeline();
  readonly wires = new Map<LinkId, Wire>();
  readonly #nodes = new Map<RouterId, Node>();
  readonly #random: Random;
  #wireCount = 0;
  weather: Weather = FAIR;
  messages = 0;
  /** Of those, between interior routers. */
  interiorMessages = 0;
  bytes = 0;
  /** Measuring bytes costs more than all the rest; off for large networks unless asked for. */
  countBytes = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get routers(): RouterId[] {
    return [...this.#nodes.keys()];
  }

  /** Also those that were cut. */
  get wiresEver(): number {
    return this.#wireCount;
  }

  engine(id: RouterId): RoutingEngine {
    return this.#nodes.get(id)!.engine;
  }

  offers(id: RouterId): string[] {
    return this.#nodes.get(id)!.offers;
  }

  /** Edge routers hang on interior ones, by the wires that `connect` makes between them. */
  addRouter(id: RouterId, role?: 'edge'): void {
    this.#nodes.set(id, { engine: this.#newEngine(id, EPOCH, role), life: 0, offers: [], links: new Set(), skew: 0 });
    this.#tick(id, 0);
  }

  /** Ends a router without a word and starts it anew, with a clock that may have been set back. Its links come back later. */
  restart(id: RouterId, skew: number): void {
    const node = this.#nodes.get(id)!;
    for (const wire of this.wires.values()) if (wire.ends.includes(id)) this.#lose(wire);
    node.life++;
    node.skew = skew;
    node.engine = this.#newEngine(id, this.#clock(node), node.engine.self.role);
    node.links.clear();
    this.offer(id, node.offers);
    this.#tick(id, node.life);
    for (const wire of this.wires.values()) if (wire.ends.includes(id)) this.#find(wire);
  }

  connect(a: RouterId, b: RouterId, cost: number): Wire {
    const wire: Wire = { id: `w${++this.#wireCount}`, ends: [a, b], cost };
    this.wires.set(wire.id, wire);
    this.#find(wire);
    return wire;
  }

  cut(wire: Wire): void {
    this.wires.delete(wire.id);
    this.#lose(wire);
  }

  setCost(wire: Wire, cost: number): void {
    wire.cost = cost;
    for (const end of wire.ends)
      if (this.#nodes.get(end)!.links.has(wire.id))
        this.#do(end, this.engine(end).linkCost(wire.id, cost, this.#clock(this.#nodes.get(end)!)));
  }

  offer(id: RouterId, addresses: string[]): void {
    const node = this.#nodes.get(id)!;
    node.offers = addresses;
    const offers = addresses.map((address): Offer => ({
      address,
      type: 'tcp',
      distribution: 'balanced',
      ports: [{ port: 80, targets: [id] }],
    }));
    this.#do(id, node.engine.setOffers(offers));
  }

  isEdge(id: RouterId): boolean {
    return this.engine(id).self.role === 'edge';
  }

  /** The wire that an edge uses. An edge that has one at all uses one. */
  uplink(edge: RouterId): LinkId | undefined {
    const uplink = this.engine(edge).nextHop({ router: '' });
    const wires = [...this.wires.values()].filter(({ ends }) => ends.includes(edge)).map(({ id }) => id);
    if (uplink === undefined ? wires.length > 0 : !wires.includes(uplink))
      throw new Error(`${edge} uses ${uplink}, and has ${wires.join()}`);
    return uplink;
  }

  /** Where an address is offered, as a router knows it. */
  members(at: RouterId, address: string): Place[] {
    return membersOf(this.engine(at).offersOf(address)).map(({ place }) => place);
  }

  /** Sends something to many places, as routers do: one copy a link. It travels as what is routed does, unharmed but in its own time. */
  multicast(from: RouterId, members: readonly Place[]): Multicast {
    const multicast: Multicast = { received: [], copies: [] };
    this.#share(from, members, multicast, MAX_HOPS);
    return multicast;
  }

  #share(at: RouterId, members: readonly Place[], multicast: Multicast, hops: number): void {
    const isHere = ({ router, edge }: Place) => (edge ?? router) === at;
    if (members.some(isHere)) multicast.received.push(at);
    const others = members.filter((member) => !isHere(member));
    if (hops === 0) return;
    for (const [link, share] of sharesByLink(others, (member) => this.engine(at).nextHop(member))) {
      const wire = this.wires.get(link);
      if (!wire) continue;
      multicast.copies.push(`${link} from ${at}`);
      const to = wire.ends[0] === at ? wire.ends[1] : wire.ends[0];
      const { leastDelay, mostDelay } = this.weather;
      this.timeline.after(this.#random.integer(leastDelay, mostDelay), () => this.#share(to, share, multicast, hops - 1));
    }
  }

  /** Both ends notice, each in its own time, as link layers do. */
  #find(wire: Wire): void {
    for (const [at, end] of wire.ends.entries()) {
      const life = this.#nodes.get(end)!.life;
      this.timeline.after(this.#random.integer(1, 20), () => {
        const node = this.#nodes.get(end)!;
        if (node.life !== life || !this.wires.has(wire.id) || node.links.has(wire.id)) return;
        node.links.add(wire.id);
        const neighbor = { router: this.engine(wire.ends[1 - at]!).self, protocol: PROTOCOL };
        this.#do(end, node.engine.linkUp(wire.id, neighbor, wire.cost, this.#clock(node)));
      });
    }
  }

  #lose(wire: Wire): void {
    for (const end of wire.ends) {
      const node = this.#nodes.get(end)!;
      if (node.links.delete(wire.id)) this.#do(end, node.engine.linkDown(wire.id, this.#clock(node)));
    }
  }

  #tick(id: RouterId, life: number): void {
    this.timeline.after(TICK_MS, () => {
      const node = this.#nodes.get(id)!;
      if (node.life !== life) return;
      this.#do(id, node.engine.tick(this.#clock(node)));
      this.#tick(id, life);
    });
  }

  #clock({ skew }: Node): number {
    return EPOCH + this.timeline.now + skew;
  }

  #newEngine(id: RouterId, clock: number, role?: 'edge'): RoutingEngine {
    const instance = clock * INSTANCES_PER_MS + this.#random.integer(0, INSTANCES_PER_MS - 1);
    return createEngine({ id, site: { id, name: id }, version: '1', platform: 'host', ...(role && { role }) }, instance);
  }

  #do(from: RouterId, { send, cut }: Effects): void {
    if (cut.length > 0) throw new Error(`${from} cuts the link ${cut[0]!.link}: ${cut[0]!.reason}`);
    for (const { link, message } of send) this.#send(from, link, message);
  }

  #send(from: RouterId, link: LinkId, message: RoutingMessage): void {
    const wire = this.wires.get(link);
    if (!wire) return;
    this.messages++;
    if (!wire.ends.some((end) => this.isEdge(end))) this.interiorMessages++;
    if (this.countBytes) this.bytes += JSON.stringify(message).length;
    const to = wire.ends[0] === from ? wire.ends[1] : wire.ends[0];
    const { loss, duplication, leastDelay, mostDelay } = this.weather;
    if (this.#random.chance(loss)) return;

    for (let copies = this.#random.chance(duplication) ? 2 : 1; copies > 0; copies--)
      this.#deliver(from, to, this.#lives(from, to), link, message, this.#random.integer(leastDelay, mostDelay));
  }

  /** What was on its way is lost when either end starts anew, as with any connection. */
  #lives(...ends: RouterId[]): string {
    return ends.map((end) => this.#nodes.get(end)!.life).join();
  }

  #deliver(from: RouterId, to: RouterId, lives: string, link: LinkId, message: RoutingMessage, delay: number): void {
    this.timeline.after(delay, () => {
      const node = this.#nodes.get(to)!;
      if (this.#lives(from, to) !== lives || !this.wires.has(link)) return;
      // An end that is not told of its link yet hears what was said first as soon as it is: nothing passes a link before its greeting.
      if (!node.links.has(link)) this.#deliver(from, to, lives, link, message, 5);
      else this.#do(to, node.engine.receive(link, message, this.#clock(node)));
    });
  }
}
