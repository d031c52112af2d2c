import { FORGET_AFTER_MS, MAX_ROUTERS } from './limits.ts';
import type { Graph } from './paths.ts';
import { type Offer, offerKey, type OffersAdvert, type OffersDelta, type RouterId, type TopologyAdvert } from './types.ts';

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
  /** By `offerKey`. */
  offers: Map<string, Offer>;
  /** Since when no path leads there. */
  lostAt: number | undefined;
}

/** An offer, and the router that advertises it. */
export interface AdvertisedOffer {
  origin: RouterId;
  offer: Offer;
}

/** Version of something never heard of: older than everything. */
export const NEVER: Version = { instance: 0, seq: 0 };

/** The link state database: the newest word of every router, and who offers which address. */
export class Database {
  readonly routers = new Map<RouterId, RouterEntry>();
  readonly #byAddress = new Index<string>();
  /** By the id of the edge router that offers it. */
  readonly #byEdge = new Index<RouterId>();

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
    for (const key of entry.offers.keys()) this.#drop(advert.origin, entry, key);
    for (const offer of advert.offers) this.#put(advert.origin, entry, offer);
    entry.offersVersion = { instance: advert.instance, seq: advert.seq };
  }

  applyDelta(delta: OffersDelta): void {
    const entry = this.#entry(delta.origin);
    for (const key of delta.drop) this.#drop(delta.origin, entry, key);
    for (const offer of delta.put) this.#put(delta.origin, entry, offer);
    entry.offersVersion = { instance: delta.instance, seq: delta.seq };
  }

  /** Every address that is known, whether or not a path leads to one of its routers. */
  addresses(): Iterable<string> {
    return this.#byAddress.keys();
  }

  /** What each router says of an address. */
  offersOf(address: string): readonly AdvertisedOffer[] {
    return this.#byAddress.get(address);
  }

  /** Edge routers that offer something, and what. */
  edges(): Iterable<RouterId> {
    return this.#byEdge.keys();
  }

  offersOfEdge(edge: RouterId): readonly AdvertisedOffer[] {
    return this.#byEdge.get(edge);
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
        // A clock that was set back must not keep it for as long as that.
      } else if (Math.abs(now - entry.lostAt) >= FORGET_AFTER_MS) {
        for (const key of entry.offers.keys()) this.#drop(id, entry, key);
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

  #put(origin: RouterId, entry: RouterEntry, offer: Offer): void {
    const key = offerKey(offer.address, offer.edge?.router.id);
    const before = entry.offers.get(key);
    entry.offers.set(key, offer);
    const advertised = { origin, offer };
    this.#byAddress.put(offer.address, advertised, before);
    if (offer.edge) this.#byEdge.put(offer.edge.router.id, advertised, before);
  }

  #drop(origin: RouterId, entry: RouterEntry, key: string): void {
    const offer = entry.offers.get(key);
    if (!offer) return;
    entry.offers.delete(key);
    this.#byAddress.drop(offer.address, origin, offer);
    if (offer.edge) this.#byEdge.drop(offer.edge.router.id, origin, offer);
  }
}

/** Offers by something that several may have in common. Most are alone: a list of one is a fraction of a map. */
class Index<K> {
  readonly #groups = new Map<K, AdvertisedOffer[]>();

  keys(): Iterable<K> {
    return this.#groups.keys();
  }

  /** As it is now: it changes with the index. */
  get(group: K): readonly AdvertisedOffer[] {
    return this.#groups.get(group) ?? NONE;
  }

  /** In the place of the one that this router advertised `before`, if any. */
  put(group: K, advertised: AdvertisedOffer, before: Offer | undefined): void {
    const offers = this.#groups.get(group);
    if (!offers) return void this.#groups.set(group, [advertised]);
    const at = before ? indexOf(offers, advertised.origin, before) : -1;
    if (at >= 0) offers[at] = advertised;
    else offers.push(advertised);
  }

  drop(group: K, origin: RouterId, offer: Offer): void {
    const offers = this.#groups.get(group) ?? [];
    const at = indexOf(offers, origin, offer);
    if (at >= 0) offers.splice(at, 1);
    if (offers.length === 0) this.#groups.delete(group);
  }
}

function indexOf(offers: readonly AdvertisedOffer[], origin: RouterId, offer: Offer): number {
  return offers.findIndex((each) => each.offer === offer && each.origin === origin);
}

const NONE: readonly AdvertisedOffer[] = [];
