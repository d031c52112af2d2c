import { compareVersions, Database, NEVER, type Version } from './database.ts';
import {
  ASK_AGAIN_AFTER_MS,
  DIGEST_EVERY_MS,
  INSTANCES_PER_MS,
  MAX_INSTANCE_AHEAD_MS,
  MAX_NAME_LENGTH,
  MAX_NAMED_TARGETS,
  MAX_PORTS_PER_OFFER,
} from './limits.ts';
import { type Path, shortestPaths } from './paths.ts';
import type {
  Digest,
  Effects,
  LinkId,
  Offer,
  OffersAdvert,
  OffersDelta,
  RouterId,
  RouterInfo,
  RoutingMessage,
  TopologyAdvert,
} from './types.ts';
import { Throttle } from './throttle.ts';
import { whyInvalid, withKnownFields } from './validate.ts';

/** How often routers are looked over for those that cannot be reached any more. Milliseconds. */
const AGE_EVERY_MS = 1000;

/** A router as this one knows it. */
export interface KnownRouter extends RouterInfo {
  /** Undefined while no path leads there. */
  path: Path | undefined;
  neighbors: { id: RouterId; cost: number }[];
  /** When the last path to it was lost, milliseconds of the caller's clock. */
  lostAt: number | undefined;
}

/**
 * One router's part of the routing protocol: a state machine without sockets, clocks or randomness. Every input returns what has to
 * be sent; time comes in as a number. Simulation and product run this same code. See docs/routing.md.
 */
export class RoutingEngine {
  readonly self: RouterInfo;
  readonly #database = new Database();
  readonly #links = new Map<LinkId, { peer: RouterId; cost: number; nextDigest: number }>();
  #instance: number;
  #topologySeq = 0;
  #offersSeq = 0;
  #leaving = false;
  readonly #throttle = new Throttle();
  readonly #bidding = new Throttle();
  /** When a router's whole offers were asked for; until they come. */
  readonly #asked = new Map<RouterId, number>();
  #agedAt = -Infinity;
  #paths: Map<RouterId, Path> | undefined;
  #effects: Effects = noEffects();

  /** `instance` must grow from start to start of the same router: `INSTANCES_PER_MS` times the milliseconds since 1970, and a random rest. */
  constructor(self: RouterInfo, instance: number) {
    this.self = self;
    this.#instance = instance;
    this.#describeTopology();
    this.#advertiseOffers([]);
    this.#effects = noEffects();
  }

  /** A link carries traffic now. Both ends have shown who they are: that is the link's business. */
  linkUp(link: LinkId, peer: RouterId, cost: number, now: number): Effects {
    this.#links.set(link, { peer, cost, nextDigest: now + DIGEST_EVERY_MS });
    this.#topologyChanged(now);
    this.#send(link, this.#digest());
    return this.#take();
  }

  linkCost(link: LinkId, cost: number, now: number): Effects {
    const known = this.#links.get(link);
    if (known && known.cost !== cost) {
      known.cost = cost;
      this.#topologyChanged(now);
    }
    return this.#take();
  }

  linkDown(link: LinkId, now: number): Effects {
    if (this.#links.delete(link)) this.#topologyChanged(now);
    return this.#take();
  }

  /** Replaces what this router offers. Only the difference travels. */
  setOffers(offers: readonly Offer[]): Effects {
    if (!this.#leaving) this.#replaceOffers(offers);
    return this.#take();
  }

  /** Tells the network that this router ends for good, so that nobody waits for it. Nothing is advertised from then on. */
  leave(): Effects {
    this.#replaceOffers([]);
    this.#leaving = true;
    this.#describeTopology();
    this.#floodTopology();
    return this.#take();
  }

  /** A message from a neighbour. An invalid one cuts its link and changes nothing else. */
  receive(link: LinkId, message: unknown, now: number): Effects {
    if (!this.#links.has(link)) return noEffects();
    const invalid = whyInvalid(message);
    if (invalid) return { ...noEffects(), cut: [{ link, reason: invalid }] };
    const valid = withKnownFields(message as RoutingMessage);
    // Not the neighbour's fault, perhaps: it may only pass on what another made up.
    if ('instance' in valid && valid.instance > (now + MAX_INSTANCE_AHEAD_MS) * INSTANCES_PER_MS) return noEffects();
    switch (valid.kind) {
      case 'topology':
        this.#receiveTopology(link, valid, now);
        break;
      case 'offers':
      case 'offers-delta':
        this.#receiveOffers(link, valid, now);
        break;
      case 'digest':
        this.#receiveDigest(link, valid);
        break;
      case 'offers-request':
        for (const origin of new Set(valid.origins)) this.#sendOffers(link, origin);
        break;
    }
    return this.#take();
  }

  /** Lets time pass; call it about ten times a second. */
  tick(now: number): Effects {
    if (this.#throttle.isDue(now)) this.#floodTopology();
    if (this.#bidding.isDue(now)) this.#announceAnew();
    for (const [link, state] of this.#links) {
      // A clock that jumped back must not silence the digest for hours.
      if (now < state.nextDigest && state.nextDigest - now <= DIGEST_EVERY_MS) continue;
      state.nextDigest = now + DIGEST_EVERY_MS;
      this.#send(link, this.#digest());
    }
    if (Math.abs(now - this.#agedAt) >= AGE_EVERY_MS) {
      this.#agedAt = now;
      if (this.#database.age((id) => this.paths.has(id), now)) this.#effects.changed = true;
    }
    return this.#take();
  }

  /** The paths from here, by destination; computed when first asked for after a change. */
  get paths(): ReadonlyMap<RouterId, Path> {
    this.#paths ??= shortestPaths(this.#database.graph(), this.self.id);
    return this.#paths;
  }

  /** The link towards a router: of several links to the same neighbour the cheapest, then the lowest id. */
  nextHop(destination: RouterId): LinkId | undefined {
    const first = this.paths.get(destination)?.first;
    let best: LinkId | undefined;
    for (const [link, { peer, cost }] of this.#links) {
      if (peer !== first) continue;
      const bestCost = best === undefined ? Infinity : this.#links.get(best)!.cost;
      if (cost < bestCost || (cost === bestCost && link < best!)) best = link;
    }
    return best;
  }

  routers(): KnownRouter[] {
    return [...this.#database.routers].flatMap(([id, { topology, lostAt }]) =>
      topology && !topology.leaving
        ? [{ ...topology.router, path: this.paths.get(id), neighbors: topology.neighbors, lostAt }]
        : [],
    );
  }

  /** The name of a router's site; its id where it has not said more yet. */
  siteOf(router: RouterId): string {
    return this.#database.routers.get(router)?.topology?.router.site.name ?? router;
  }

  /** Whether another router seems to live under this one's id: the two deny each other's words. */
  get isContested(): boolean {
    return this.#bidding.isStrained;
  }

  addresses(): string[] {
    return [...this.#database.addresses()];
  }

  /** Every router that offers an address, reachable or not. */
  offersOf(address: string): { router: RouterId; offer: Offer; path: Path | undefined }[] {
    return this.#database.offersOf(address).map((entry) => ({ ...entry, path: this.paths.get(entry.router) }));
  }

  #replaceOffers(offers: readonly Offer[]): void {
    const before = this.#database.routers.get(this.self.id)!.offers;
    const after = new Map(offers.map((offer) => [offer.address, bounded(offer)]));
    const put = [...after.values()].filter((offer) => JSON.stringify(before.get(offer.address)) !== JSON.stringify(offer));
    const drop = [...before.keys()].filter((address) => !after.has(address));
    if (put.length + drop.length > 0) {
      const delta: OffersDelta = { kind: 'offers-delta', ...this.#nextOffersVersion(), put, drop };
      this.#database.applyDelta(delta);
      this.#flood(delta);
      this.#effects.changed = true;
    }
  }

  #receiveTopology(link: LinkId, advert: TopologyAdvert, now: number): void {
    const order = compareVersions(advert, this.#database.topologyVersion(advert.origin));
    // An older one crossed the newer on its way here; where it did not, the next digest tells.
    if (order <= 0) return;
    if (advert.origin === this.self.id) return this.#outbid(advert, now);
    if (!this.#database.hasRoomFor(advert.origin)) return;
    this.#database.setTopology(advert);
    this.#flood(advert, link);
    this.#paths = undefined;
    this.#effects.changed = true;
  }

  #receiveOffers(link: LinkId, advert: OffersAdvert | OffersDelta, now: number): void {
    const base = this.#database.offersVersion(advert.origin);
    if (compareVersions(advert, base) <= 0) return;
    if (advert.origin === this.self.id) return this.#outbid(advert, now);
    if (!this.#database.hasRoomFor(advert.origin)) return;
    if (advert.kind === 'offers') {
      this.#database.setOffers(advert);
      this.#asked.delete(advert.origin);
    } else if (advert.instance === base.instance && advert.seq === base.seq + 1) this.#database.applyDelta(advert);
    else return this.#ask(link, advert.origin, now);
    this.#flood(advert, link);
    this.#effects.changed = true;
  }

  /** Asks for everything that a router offers, once for all deltas that come before the answer. */
  #ask(link: LinkId, origin: RouterId, now: number): void {
    const asked = this.#asked.get(origin);
    if (asked !== undefined && Math.abs(now - asked) < ASK_AGAIN_AFTER_MS) return;
    this.#asked.set(origin, now);
    this.#send(link, { kind: 'offers-request', origins: [origin] });
  }

  /** Sends what the neighbour lacks. What this router lacks the neighbour sends on this router's own digest. */
  #receiveDigest(link: LinkId, { entries }: Digest): void {
    const theirs = new Map(entries.map((entry) => [entry.origin, entry]));
    for (const [origin, entry] of this.#database.routers) {
      const their = theirs.get(origin);
      // Who forgot a router that cannot be reached is not to be reminded of it: else it would never be forgotten.
      if (!their && entry.lostAt !== undefined) continue;
      const has = (seq: number | undefined): Version => (their && seq !== undefined ? { instance: their.instance, seq } : NEVER);
      if (entry.topology && compareVersions(entry.topology, has(their?.topology)) > 0) this.#send(link, entry.topology);
      if (compareVersions(entry.offersVersion, has(their?.offers)) > 0) this.#sendOffers(link, origin);
    }
  }

  #digest(): Digest {
    const entries = [...this.#database.routers].map(([origin, { topology, offersVersion }]) => {
      const instance = Math.max(topology?.instance ?? 0, offersVersion.instance);
      const seqIn = (version: Version | undefined) => (version?.instance === instance ? version.seq : 0);
      return { origin, instance, topology: seqIn(topology), offers: seqIn(offersVersion) };
    });
    return { kind: 'digest', entries };
  }

  /**
   * The network remembers an earlier life of this router as newer (its clock was set back): starts above it. Where another router with
   * the same id lives, the two outbid each other without end: then ever more slowly.
   */
  #outbid({ instance }: Version, now: number): void {
    this.#instance = Math.max(this.#instance, instance + 1);
    if (this.#bidding.request(now)) this.#announceAnew();
  }

  #announceAnew(): void {
    this.#describeTopology();
    this.#floodTopology();
    if (!this.#leaving) this.#advertiseOffers([...this.#database.routers.get(this.self.id)!.offers.values()]);
  }

  /** Holds here at once; others hear of it when the throttle lets them. */
  #topologyChanged(now: number): void {
    this.#describeTopology();
    if (this.#throttle.request(now)) this.#floodTopology();
  }

  #floodTopology(): void {
    this.#flood(this.#database.routers.get(this.self.id)!.topology!);
  }

  #describeTopology(): void {
    const costs = new Map<RouterId, number>();
    for (const { peer, cost } of this.#links.values()) costs.set(peer, Math.min(cost, costs.get(peer) ?? Infinity));
    const neighbors = [...costs].map(([id, cost]) => ({ id, cost }));
    const advert: TopologyAdvert = {
      kind: 'topology',
      origin: this.self.id,
      instance: this.#instance,
      seq: ++this.#topologySeq,
      router: this.self,
      neighbors: this.#leaving ? [] : neighbors,
      ...(this.#leaving && { leaving: true }),
    };
    this.#database.setTopology(advert);
    this.#paths = undefined;
    this.#effects.changed = true;
  }

  #advertiseOffers(offers: Offer[]): void {
    const advert: OffersAdvert = { kind: 'offers', ...this.#nextOffersVersion(), offers };
    this.#database.setOffers(advert);
    this.#flood(advert);
  }

  #nextOffersVersion() {
    return { origin: this.self.id, instance: this.#instance, seq: ++this.#offersSeq };
  }

  #sendOffers(link: LinkId, origin: RouterId): void {
    const entry = this.#database.routers.get(origin);
    if (!entry || entry.offersVersion === NEVER) return;
    this.#send(link, { kind: 'offers', origin, ...entry.offersVersion, offers: [...entry.offers.values()] });
  }

  #flood(message: RoutingMessage, except?: LinkId): void {
    for (const link of this.#links.keys()) if (link !== except) this.#send(link, message);
  }

  #send(link: LinkId, message: RoutingMessage): void {
    this.#effects.send.push({ link, message });
  }

  #take(): Effects {
    const effects = this.#effects;
    this.#effects = noEffects();
    return effects;
  }
}

function noEffects(): Effects {
  return { send: [], changed: false, cut: [] };
}

/** What neighbours take: one that gets more cuts the link, and with it everything else that this router offers. */
function bounded(offer: Offer): Offer {
  return {
    ...offer,
    ports: offer.ports.slice(0, MAX_PORTS_PER_OFFER).map((port) => ({
      ...port,
      targets: port.targets.slice(0, MAX_NAMED_TARGETS).map((target) => target.slice(0, MAX_NAME_LENGTH)),
    })),
  };
}
