import { compareVersions, NEVER, type Version } from './database.ts';
import { FORGET_AFTER_MS, MAX_EDGE_OFFERS } from './limits.ts';
import type { OfferChange } from './offer-change.ts';
import {
  type LinkId,
  type Offer,
  offerKey,
  type OffersAdvert,
  type OffersDelta,
  type Reach,
  type RouterId,
  type RouterInfo,
} from './types.ts';

interface HangingEdge {
  router: RouterInfo;
  cost: number;
  /** This link is the one that it uses. */
  attached: boolean;
  /** Of the last `Reach` that it was sent. */
  reachSeq: number;
}

/** What an edge offers, in its own words; kept for a while after it has gone without a word. */
interface Offering {
  /** The link that it came over; undefined once that is lost. */
  link: LinkId | undefined;
  lostAt: number;
  version: Version;
  offers: Map<string, Offer>;
}

/**
 * The edge routers that hang on an interior router, as that one sees them. What they offer becomes an offer of the interior router, so
 * nobody else hears of an edge that offers nothing; and each is told how far the other routers are.
 */
export class Edges {
  readonly #links = new Map<LinkId, HangingEdge>();
  readonly #offerings = new Map<RouterId, Offering>();
  /** What attached edges have been told of other routers. */
  #told = new Map<RouterId, { router: RouterInfo; cost: number }>();

  add(link: LinkId, router: RouterInfo, cost: number): void {
    this.#links.set(link, { router, cost, attached: false, reachSeq: 0 });
  }

  has(link: LinkId): boolean {
    return this.#links.has(link);
  }

  /** The edge at the other end of a link. */
  at(link: LinkId): RouterId | undefined {
    return this.#links.get(link)?.router.id;
  }

  /** Those that use their link: one that only waits is to be found elsewhere. */
  routers(): { router: RouterInfo; cost: number }[] {
    return [...this.#links.values()].filter(({ attached }) => attached);
  }

  attached(): LinkId[] {
    return [...this.#links].flatMap(([link, { attached }]) => (attached ? [link] : []));
  }

  /** The link to an edge: the one that it uses, else any. */
  linkTo(edge: RouterId): LinkId | undefined {
    let found: LinkId | undefined;
    for (const [link, { router, attached }] of this.#links) {
      if (router.id !== edge) continue;
      if (attached) return link;
      found ??= link;
    }
    return found;
  }

  /** Forgets a link. What came over it is offered no more, but remembered: the edge may be back in a moment, here or elsewhere. */
  remove(link: LinkId, now: number): OfferChange {
    const edge = this.#links.get(link);
    this.#links.delete(link);
    const offering = edge && this.#offerings.get(edge.router.id);
    if (!offering || offering.link !== link) return noChange();
    offering.link = undefined;
    offering.lostAt = now;
    if (offering.offers.size === 0) this.#offerings.delete(edge.router.id);
    return { put: [...offering.offers.values()].map((offer) => lost(offer, edge)), drop: [] };
  }

  setCost(link: LinkId, cost: number): OfferChange {
    const edge = this.#links.get(link)!;
    edge.cost = cost;
    const offering = this.#offerings.get(edge.router.id);
    return offering?.link === link
      ? { put: [...offering.offers.values()].map((offer) => marked(offer, edge)), drop: [] }
      : noChange();
  }

  /** The edge uses this link from now on. Returns what it is to be told of the others. */
  attach(link: LinkId): Reach {
    const edge = this.#links.get(link)!;
    for (const other of this.#links.values()) if (other.router.id === edge.router.id) other.attached = false;
    edge.attached = true;
    return { kind: 'reach', seq: ++edge.reachSeq, whole: true, put: [...this.#told.values()], drop: [] };
  }

  /** Takes in what an edge offers. `undefined`: something is missing before it, and must be asked for. */
  receive(link: LinkId, advert: OffersAdvert | OffersDelta): OfferChange | undefined {
    const edge = this.#links.get(link)!;
    const known = this.#offerings.get(edge.router.id);
    const base = this.version(link);
    if (!edge.attached || compareVersions(advert, base) <= 0) return noChange();
    if (advert.kind === 'offers-delta') {
      if (!known || base === NEVER || advert.instance !== base.instance || advert.seq !== base.seq + 1) return undefined;
      known.version = advert;
      for (const address of advert.drop) known.offers.delete(address);
      for (const offer of advert.put) if (this.#hasRoom(known, offer)) known.offers.set(offer.address, offer);
      return {
        put: advert.put.filter(({ address }) => known.offers.has(address)).map((offer) => marked(offer, edge)),
        drop: advert.drop.map((address) => offerKey(address, edge.router.id)),
      };
    }
    const offers = new Map(advert.offers.slice(0, MAX_EDGE_OFFERS).map((offer) => [offer.address, offer]));
    const drop = [...(known?.offers.keys() ?? [])]
      .filter((address) => !offers.has(address))
      .map((address) => offerKey(address, edge.router.id));
    const put = [...offers.values()].map((offer) => marked(offer, edge));
    this.#offerings.set(edge.router.id, { link, lostAt: 0, version: advert, offers });
    return { put, drop };
  }

  /** Up to which version an edge's offers are known. What came over an earlier link does not count: an edge may start anew. */
  version(link: LinkId): Version {
    const offering = this.#offerings.get(this.#links.get(link)!.router.id);
    return offering?.link === link ? offering.version : NEVER;
  }

  /** Drops what an edge offered that has not come back for `FORGET_AFTER_MS`. */
  forget(now: number): OfferChange {
    const change = noChange();
    for (const [edge, { link, lostAt, offers }] of this.#offerings) {
      if (link !== undefined || Math.abs(now - lostAt) < FORGET_AFTER_MS) continue;
      this.#offerings.delete(edge);
      for (const address of offers.keys()) change.drop.push(offerKey(address, edge));
    }
    return change;
  }

  /** What attached edges must be told, now that these routers can be reached at these costs. */
  reach(routers: ReadonlyMap<RouterId, { router: RouterInfo; cost: number }>): { link: LinkId; message: Reach }[] {
    const put = [...routers.values()].filter(({ router, cost }) => {
      const told = this.#told.get(router.id);
      return told?.cost !== cost || (told.router !== router && JSON.stringify(told.router) !== JSON.stringify(router));
    });
    const drop = [...this.#told.keys()].filter((id) => !routers.has(id));
    this.#told = new Map(routers);
    return put.length + drop.length === 0 ? [] : this.#tell(this.attached(), put, drop);
  }

  /** Says nothing new: an edge that missed something notices. */
  remind(link: LinkId): { link: LinkId; message: Reach }[] {
    return this.#tell([link], [], []);
  }

  #tell(links: LinkId[], put: Reach['put'], drop: RouterId[]): { link: LinkId; message: Reach }[] {
    return links.map((link) => ({ link, message: { kind: 'reach', seq: ++this.#links.get(link)!.reachSeq, put, drop } }));
  }

  #hasRoom({ offers }: Offering, { address }: Offer): boolean {
    return offers.has(address) || offers.size < MAX_EDGE_OFFERS;
  }
}

function noChange(): OfferChange {
  return { put: [], drop: [] };
}

function marked(offer: Offer, { router, cost }: HangingEdge): Offer {
  return { ...offer, edge: { router, cost } };
}

/** Known, but with nobody to send a client to. */
function lost(offer: Offer, { router, cost }: HangingEdge): Offer {
  return { ...offer, ports: offer.ports.map((port) => ({ ...port, targets: [] })), edge: { router, cost, lost: true } };
}
