import { FORGET_AFTER_MS, MAX_ROUTERS } from './limits.ts';
import type { Graph } from './paths.ts';
import type { Offer, OffersAdvert, OffersDelta, RouterId, TopologyAdvert } from './types.ts';

/** A position in what a router has said: a later instance is newer, then a higher sequence number. */
export interface Version {
  instance: number;
  seq: number;
}

/** Positive if `a` is newer than `b`, 0 if they are the same. */
export function compareVersions(a: Version, b: Version): number {
  return a.instance - b.instance || a.seq - b.seq;
}

/** What is known of one router. */
export interface RouterEntry {
  topology: TopologyAdvert | undefined;
  offersVersion: Version;
  offers: Map<string, Offer>;
  /** Since when no path leads there. */
  lostAt: number | undefined;
}

/** Version of something never heard of: older than everything. */
export const NEVER: Version = { instance: 0, seq: 0 };

/** The link state database: the newest word of every router, and who offers which address. */
export class Database {
  readonly routers = new Map<RouterId, RouterEntry>();
  /** address → the routers that offer it. */
  readonly #offeredBy = new Map<string, Set<RouterId>>();

  topologyVersion(origin: RouterId): Version {
    return this.routers.get(origin)?.topology ?? NEVER;
  }

  offersVersion(origin: RouterId): Version {
    return this.routers.get(origin)?.offersVersion ?? NEVER;
  }

  /** False where the database is full and does not know this router. */
  hasRoomFor(origin: RouterId): boolean {
    return this.routers.has(origin) || this.routers.size < MAX_ROUTERS;
  }

  setTopology(advert: TopologyAdvert): void {
    this.#entry(advert.origin).topology = advert;
  }

  setOffers(advert: OffersAdvert): void {
    const entry = this.#entry(advert.origin);
    for (const address of entry.offers.keys()) this.#unindex(address, advert.origin);
    entry.offers = new Map(advert.offers.map((offer) => [offer.address, offer]));
    for (const address of entry.offers.keys()) this.#index(address, advert.origin);
    entry.offersVersion = { instance: advert.instance, seq: advert.seq };
  }

  applyDelta(delta: OffersDelta): void {
    const entry = this.#entry(delta.origin);
    for (const address of delta.drop) {
      entry.offers.delete(address);
      this.#unindex(address, delta.origin);
    }
    for (const offer of delta.put) {
      entry.offers.set(offer.address, offer);
      this.#index(offer.address, delta.origin);
    }
    entry.offersVersion = { instance: delta.instance, seq: delta.seq };
  }

  /** Every address that is known, whether or not a path leads to one of its routers. */
  addresses(): Iterable<string> {
    return this.#offeredBy.keys();
  }

  /** What each router says of an address. */
  offersOf(address: string): { router: RouterId; offer: Offer }[] {
    return [...(this.#offeredBy.get(address) ?? [])].map((router) => ({
      router,
      offer: this.routers.get(router)!.offers.get(address)!,
    }));
  }

  /** The links that both ends advertise, at the higher of the two costs: a link that one end does not see carries nothing. */
  graph(): Graph {
    const graph = new Map<RouterId, Map<RouterId, number>>();
    for (const [id, { topology }] of this.routers)
      graph.set(id, new Map(topology?.neighbors.map(({ id: neighbor, cost }) => [neighbor, cost])));
    const mutual = new Map<RouterId, Map<RouterId, number>>();
    for (const [id, neighbors] of graph) {
      const links = new Map<RouterId, number>();
      for (const [neighbor, cost] of neighbors) {
        const back = graph.get(neighbor)?.get(id);
        if (back !== undefined) links.set(neighbor, Math.max(cost, back));
      }
      mutual.set(id, links);
    }
    return mutual;
  }

  /** Notes which routers no path leads to, and forgets those that have been out of reach for too long. True where either happened. */
  age(isReachable: (id: RouterId) => boolean, now: number): boolean {
    let changed = false;
    for (const [id, entry] of this.routers) {
      if (isReachable(id)) entry.lostAt = undefined;
      else if (entry.lostAt === undefined) {
        entry.lostAt = now;
        changed = true;
      } else if (now - entry.lostAt >= FORGET_AFTER_MS) {
        for (const address of entry.offers.keys()) this.#unindex(address, id);
        this.routers.delete(id);
        changed = true;
      }
    }
    return changed;
  }

  #entry(id: RouterId): RouterEntry {
    let entry = this.routers.get(id);
    if (!entry) {
      entry = { topology: undefined, offersVersion: NEVER, offers: new Map(), lostAt: undefined };
      this.routers.set(id, entry);
    }
    return entry;
  }

  #index(address: string, router: RouterId): void {
    const routers = this.#offeredBy.get(address);
    if (routers) routers.add(router);
    else this.#offeredBy.set(address, new Set([router]));
  }

  #unindex(address: string, router: RouterId): void {
    const routers = this.#offeredBy.get(address);
    routers?.delete(router);
    if (routers?.size === 0) this.#offeredBy.delete(address);
  }
}
