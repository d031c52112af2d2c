import { compareVersions, Database, NEVER, type Version } from './database.ts';
import { Edges } from './edges.ts';
import type { KnownOffer, KnownRouter, RoutingEngine } from './engine.ts';
import { knownEdges, knownOffer } from './known.ts';
import { changeTo, type OfferChange } from './offer-change.ts';
import {
  AGE_EVERY_MS,
  ASK_AGAIN_AFTER_MS,
  DIGEST_EVERY_MS,
  INSTANCES_PER_MS,
  MAX_INSTANCE_AHEAD_MS,
  MAX_OFFERS_PER_ROUTER,
} from './limits.ts';
import { type Path, shortestPaths } from './paths.ts';
import { Throttle } from './throttle.ts';
import {
  type Digest,
  type Effects,
  type LinkId,
  type Neighbor,
  noEffects,
  type Offer,
  offerKey,
  type OffersAdvert,
  type OffersDelta,
  type Place,
  type RouterId,
  type RouterInfo,
  type RoutingMessage,
  type TopologyAdvert,
} from './types.ts';
import { whyInvalid, withKnownFields } from './validate.ts';

/** The engine of an interior router: it knows every interior router and the links between them, and computes its paths itself. */
export class InteriorEngine implements RoutingEngine {
  readonly self: RouterInfo;
  readonly #database = new Database();
  readonly #edges = new Edges();
  readonly #links = new Map<LinkId, { peer: RouterId; cost: number; nextDigest: number }>();
  #instance: number;
  #topologySeq = 0;
  #offersSeq = 0;
  #leaving = false;
  readonly #throttle = new Throttle();
  /** For what edges are told of paths. */
  readonly #reachThrottle = new Throttle();
  readonly #bidding = new Throttle();
  /** When a router's whole offers were asked for; until they come. */
  readonly #asked = new Map<RouterId, number>();
  #agedAt = -Infinity;
  #paths: Map<RouterId, Path> | undefined;
  /** Those that edges have been told of. */
  #toldPaths: Map<RouterId, Path> | undefined;
  #effects: Effects = noEffects();

  /** `instance`: see `createEngine`. */
  constructor(self: RouterInfo, instance: number) {
    this.self = self;
    this.#instance = instance;
    this.#describeTopology();
    this.#advertiseOffers([]);
    this.#effects = noEffects();
  }

  linkUp(link: LinkId, { router }: Neighbor, cost: number, now: number): Effects {
    if (router.role === 'edge') this.#edges.add(link, router, cost);
    else {
      this.#links.set(link, { peer: router.id, cost, nextDigest: now + DIGEST_EVERY_MS });
      this.#topologyChanged(now);
      this.#send(link, this.#digest());
    }
    return this.#take();
  }

  linkCost(link: LinkId, cost: number, now: number): Effects {
    if (this.#edges.has(link)) this.#changeOffers(this.#edges.setCost(link, cost));
    const known = this.#links.get(link);
    if (known && known.cost !== cost) {
      known.cost = cost;
      this.#topologyChanged(now);
    }
    return this.#take();
  }

  linkDown(link: LinkId, now: number): Effects {
    if (this.#edges.has(link)) {
      this.#changeOffers(this.#edges.remove(link, now));
      this.#effects.changed = true;
    } else if (this.#links.delete(link)) this.#topologyChanged(now);
    return this.#take();
  }

  setOffers(offers: readonly Offer[]): Effects {
    this.#changeOffers(changeTo(offers, this.#ownOffers()));
    return this.#take();
  }

  leave(): Effects {
    this.#changeOffers({ put: [], drop: [...this.#ownOffers().keys()] });
    this.#leaving = true;
    this.#describeTopology();
    this.#floodTopology();
    return this.#take();
  }

  receive(link: LinkId, message: unknown, now: number): Effects {
    const edge = this.#edges.at(link);
    const isEdge = edge !== undefined;
    if (!isEdge && !this.#links.has(link)) return noEffects();
    const invalid = whyInvalid(message) ?? (isEdge ? whyNotFromEdge(edge, message as RoutingMessage) : undefined);
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
        if (isEdge) this.#receiveOffersOfEdge(link, valid);
        else this.#receiveOffers(link, valid, now);
        break;
      case 'digest':
        if (isEdge) this.#receiveDigestOfEdge(link, valid, now);
        else this.#receiveDigest(link, valid);
        break;
      case 'offers-request':
        for (const origin of new Set(valid.origins)) this.#sendOffers(link, origin);
        break;
      case 'attach':
        if (isEdge) this.#attach(link);
        break;
      // Only edges are told how far things are; and a later version may say what this one does not know.
      case 'reach':
      default:
    }
    return this.#take();
  }

  tick(now: number): Effects {
    if (this.#throttle.isDue(now)) this.#floodTopology();
    if (this.#bidding.isDue(now)) this.#announceAnew();
    if (this.#toldPaths !== this.#paths && this.#edges.attached().length > 0 && this.#reachThrottle.request(now))
      this.#tellReach();
    for (const [link, state] of this.#links) {
      // A clock that jumped back must not silence the digest for hours.
      if (now < state.nextDigest && state.nextDigest - now <= DIGEST_EVERY_MS) continue;
      state.nextDigest = now + DIGEST_EVERY_MS;
      this.#send(link, this.#digest());
    }
    if (Math.abs(now - this.#agedAt) >= AGE_EVERY_MS) {
      this.#agedAt = now;
      if (this.#database.age((id) => this.paths.has(id), now)) this.#effects.changed = true;
      this.#changeOffers(this.#edges.forget(now));
    }
    return this.#take();
  }

  get place(): Place {
    return { router: this.self.id };
  }

  /** Computed when first asked for after a change. */
  get paths(): ReadonlyMap<RouterId, Path> {
    this.#paths ??= shortestPaths(this.#database.graph(), this.self.id);
    return this.#paths;
  }

  /** Of several links to the same neighbour the cheapest, then the lowest id. */
  nextHop({ router, edge }: Place): LinkId | undefined {
    if (router === this.self.id) return edge === undefined ? undefined : this.#edges.linkTo(edge);
    const first = this.paths.get(router)?.first;
    let best: LinkId | undefined;
    for (const [link, { peer, cost }] of this.#links) {
      if (peer !== first) continue;
      const bestCost = best === undefined ? Infinity : this.#links.get(best)!.cost;
      if (cost < bestCost || (cost === bestCost && link < best!)) best = link;
    }
    return best;
  }

  isStandby(_link: LinkId): boolean {
    return false;
  }

  routers(): KnownRouter[] {
    const interior = [...this.#database.routers].flatMap(([id, { topology, lostAt }]) =>
      topology && !topology.leaving
        ? [{ ...topology.router, path: this.paths.get(id), neighbors: topology.neighbors, lostAt }]
        : [],
    );
    const edges = knownEdges(this.#database, this.paths);
    for (const { router, cost } of this.#edges.routers())
      edges.set(router.id, {
        ...router,
        path: { cost, first: router.id, hops: 1 },
        neighbors: [{ id: this.self.id, cost }],
        lostAt: undefined,
      });
    return [...interior, ...edges.values()];
  }

  /** Whether another router seems to live under this one's id: the two deny each other's words. */
  get isContested(): boolean {
    return this.#bidding.isStrained;
  }

  addresses(): string[] {
    return [...this.#database.addresses()];
  }

  offersOf(address: string): KnownOffer[] {
    return this.#database.offersOf(address).flatMap(({ origin, offer }) => {
      const topology = this.#database.routers.get(origin)?.topology;
      return topology && !topology.leaving ? [knownOffer(offer, topology.router, this.paths.get(origin))] : [];
    });
  }

  /** What this router offers itself, by key; not what edges do. */
  #ownOffers(): Map<string, Offer> {
    return new Map([...this.#database.routers.get(this.self.id)!.offers].filter(([, { edge }]) => !edge));
  }

  #changeOffers({ put: wanted, drop }: OfferChange): void {
    const { offers } = this.#database.routers.get(this.self.id)!;
    let room = MAX_OFFERS_PER_ROUTER - offers.size;
    const put = wanted.filter(({ address, edge }) => offers.has(offerKey(address, edge?.router.id)) || room-- > 0);
    if (this.#leaving || put.length + drop.length === 0) return;
    const delta: OffersDelta = { kind: 'offers-delta', ...this.#nextOffersVersion(), put, drop };
    this.#database.applyDelta(delta);
    this.#flood(delta);
    this.#effects.changed = true;
  }

  #attach(link: LinkId): void {
    this.#tellReach();
    this.#send(link, this.#edges.attach(link));
    this.#effects.changed = true;
  }

  /** Tells the edges that hang here how far the routers are. */
  #tellReach(): void {
    const reach = new Map<RouterId, { router: RouterInfo; cost: number }>();
    for (const [id, { cost }] of this.paths) {
      const topology = this.#database.routers.get(id)?.topology;
      if (topology) reach.set(id, { router: topology.router, cost });
    }
    this.#effects.send.push(...this.#edges.reach(reach));
    this.#toldPaths = this.#paths;
  }

  #receiveOffersOfEdge(link: LinkId, advert: OffersAdvert | OffersDelta): void {
    const change = this.#edges.receive(link, advert);
    if (change) this.#changeOffers(change);
    else this.#send(link, { kind: 'offers-request', origins: [advert.origin] });
  }

  /** When it attaches, and now and then, an edge says what it knows and what it offers: each sends or asks for what is missing. */
  #receiveDigestOfEdge(link: LinkId, digest: Digest, now: number): void {
    for (const { origin, instance, offers: seq } of digest.entries) {
      const version = { instance, seq };
      const isItself = origin === this.#edges.at(link);
      if (compareVersions(version, isItself ? this.#edges.version(link) : this.#database.offersVersion(origin)) <= 0) continue;
      if (isItself) this.#send(link, { kind: 'offers-request', origins: [origin] });
      else if (origin === this.self.id) this.#outbid(version, now);
      // Of a router that started anew, with its clock set back, the edge still knows what it said before.
      else this.#sendOffers(link, origin);
    }
    for (const { link: to, message } of this.#edges.remind(link)) this.#send(to, message);
    this.#receiveDigest(link, digest);
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
      if (entry.topology && !this.#edges.has(link) && compareVersions(entry.topology, has(their?.topology)) > 0)
        this.#send(link, entry.topology);
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
    if (instance >= this.#instance) {
      // Its own rest is kept: another life of this router, which outbids the same word, must not come to the same instance.
      this.#instance += Math.floor((instance - this.#instance) / INSTANCES_PER_MS + 1) * INSTANCES_PER_MS;
    }
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
    if (message.kind !== 'topology') for (const link of this.#edges.attached()) this.#send(link, message);
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

/** An edge speaks of itself only. */
function whyNotFromEdge(id: RouterId, message: RoutingMessage): string | undefined {
  if (message.kind === 'topology') return 'an edge router speaks of topology';
  if (message.kind !== 'offers' && message.kind !== 'offers-delta') return undefined;
  const offers = message.kind === 'offers' ? message.offers : message.put;
  return message.origin === id && offers.every(({ edge }) => !edge) ? undefined : 'an edge router offers what another one has';
}
