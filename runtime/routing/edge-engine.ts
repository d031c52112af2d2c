import { compareVersions, Database } from './database.ts';
import type { KnownOffer, KnownRouter, RoutingEngine } from './engine.ts';
import { knownEdges, knownOffer } from './known.ts';
import {
  AGE_EVERY_MS,
  ASK_AGAIN_AFTER_MS,
  DIGEST_EVERY_MS,
  FORGET_AFTER_MS,
  INSTANCES_PER_MS,
  MAX_INSTANCE_AHEAD_MS,
  MAX_ROUTERS,
} from './limits.ts';
import { changeTo } from './offer-change.ts';
import type { Path } from './paths.ts';
import {
  type Effects,
  type LinkId,
  type Neighbor,
  noEffects,
  type Offer,
  type OffersAdvert,
  type OffersDelta,
  type Place,
  type Reach,
  type RouterId,
  type RouterInfo,
  type RoutingMessage,
} from './types.ts';
import { whyInvalid, withKnownFields } from './validate.ts';

/** A copy of this router's data elsewhere shows itself when it stays; an uplink that was just left may still name this one. Milliseconds. */
const CONTESTED_AFTER_MS = 15_000;

interface Reachable {
  router: RouterInfo;
  /** From the uplink's far end; undefined while it knows no path. */
  cost: number | undefined;
  lostAt: number;
}

/**
 * The engine of an edge router. It hangs on interior routers by its uplinks: one is active, and the next takes over when that is lost. It
 * knows every service and how far it is, but nothing of the links between others, and carries nothing for them.
 */
export class EdgeEngine implements RoutingEngine {
  readonly self: RouterInfo;
  readonly #instance: number;
  /** What others offer, and itself. */
  readonly #database = new Database();
  readonly #uplinks = new Map<LinkId, { router: RouterInfo; cost: number }>();
  #active: LinkId | undefined;
  readonly #known = new Map<RouterId, Reachable>();
  /** Of the next `Reach`; undefined until the first whole one has come. */
  #nextReach: number | undefined;
  #attachedAt = 0;
  #nextDigest = 0;
  #offersSeq = 0;
  #agedAt = -Infinity;
  #paths: Map<RouterId, Path> | undefined;
  readonly #asked = new Map<RouterId, number>();
  #contestedSince: number | undefined;
  #now = 0;
  #effects: Effects = noEffects();

  /** `instance`: see `createEngine`. */
  constructor(self: RouterInfo, instance: number) {
    this.self = self;
    this.#instance = instance;
    this.#database.setOffers({ kind: 'offers', ...this.#nextVersion(), offers: [] });
  }

  linkUp(link: LinkId, { router }: Neighbor, cost: number, now: number): Effects {
    this.#uplinks.set(link, { router, cost });
    if (this.#active === undefined) this.#attach(link, now);
    return this.#take();
  }

  linkCost(link: LinkId, cost: number, _now: number): Effects {
    const uplink = this.#uplinks.get(link);
    if (uplink) uplink.cost = cost;
    if (link === this.#active) this.#changed();
    return this.#take();
  }

  linkDown(link: LinkId, now: number): Effects {
    this.#uplinks.delete(link);
    if (link === this.#active) {
      const [next] = [...this.#uplinks].sort(([a, { cost: costA }], [b, { cost: costB }]) => costA - costB || (a < b ? -1 : 1));
      this.#active = undefined;
      if (next) this.#attach(next[0], now);
      else this.#loseAll(now);
    }
    return this.#take();
  }

  setOffers(offers: readonly Offer[]): Effects {
    const { put, drop } = changeTo(offers, this.#offers());
    if (put.length + drop.length > 0) {
      const delta: OffersDelta = { kind: 'offers-delta', ...this.#nextVersion(), put, drop };
      this.#database.applyDelta(delta);
      this.#sendUp(delta);
      this.#effects.changed = true;
    }
    return this.#take();
  }

  leave(): Effects {
    return this.setOffers([]);
  }

  receive(link: LinkId, message: unknown, now: number): Effects {
    if (!this.#uplinks.has(link)) return noEffects();
    const invalid = whyInvalid(message);
    if (invalid) return { ...noEffects(), cut: [{ link, reason: invalid }] };
    const valid = withKnownFields(message as RoutingMessage);
    if ('instance' in valid && valid.instance > (now + MAX_INSTANCE_AHEAD_MS) * INSTANCES_PER_MS) return noEffects();
    // What an uplink that waits says counts when it is the active one: it says it again then.
    if (link === this.#active) this.#receive(valid, now);
    return this.#take();
  }

  tick(now: number): Effects {
    this.#now = now;
    if (this.#active !== undefined) {
      // The answer, or the request for it, may have been lost.
      if (this.#nextReach === undefined && Math.abs(now - this.#attachedAt) >= ASK_AGAIN_AFTER_MS)
        this.#attach(this.#active, now);
      if (now >= this.#nextDigest || this.#nextDigest - now > DIGEST_EVERY_MS) this.#sendDigest(now);
    }
    if (Math.abs(now - this.#agedAt) >= AGE_EVERY_MS) {
      this.#agedAt = now;
      this.#age(now);
    }
    return this.#take();
  }

  get place(): Place {
    const uplink = this.#active === undefined ? undefined : this.#uplinks.get(this.#active);
    return { router: uplink?.router.id ?? this.self.id, edge: this.self.id };
  }

  get paths(): ReadonlyMap<RouterId, Path> {
    this.#paths ??= this.#makePaths();
    return this.#paths;
  }

  /** Everything but this router lies behind the active uplink. */
  nextHop({ edge }: Place): LinkId | undefined {
    return edge === this.self.id ? undefined : this.#active;
  }

  isStandby(link: LinkId): boolean {
    return this.#uplinks.has(link) && link !== this.#active;
  }

  routers(): KnownRouter[] {
    const neighbors = [...this.#uplinks.values()].map(({ router, cost }) => ({ id: router.id, cost }));
    const self = { ...this.self, path: this.paths.get(this.self.id), neighbors, lostAt: undefined };
    const interior = [...this.#known.values()].map(({ router, cost, lostAt }) => ({
      ...router,
      path: this.paths.get(router.id),
      neighbors: [],
      lostAt: cost === undefined ? lostAt : undefined,
    }));
    const edges = knownEdges(this.#database, this.paths);
    edges.delete(this.self.id);
    return [self, ...interior, ...edges.values()];
  }

  addresses(): string[] {
    return [...this.#database.addresses()].filter((address) => this.offersOf(address).length > 0);
  }

  offersOf(address: string): KnownOffer[] {
    return this.#database.offersOf(address).flatMap(({ origin, offer }) => {
      if (origin === this.self.id) return [{ offer, place: { router: origin, edge: origin }, router: this.self, cost: 0 }];
      const by = this.#known.get(origin)?.router;
      // What this router offers comes back from the one it hangs on.
      return by && offer.edge?.router.id !== this.self.id ? [knownOffer(offer, by, this.paths.get(origin))] : [];
    });
  }

  get isContested(): boolean {
    return this.#contestedSince !== undefined && Math.abs(this.#now - this.#contestedSince) >= CONTESTED_AFTER_MS;
  }

  #receive(message: RoutingMessage, now: number): void {
    switch (message.kind) {
      case 'reach':
        return this.#receiveReach(message, now);
      case 'offers':
      case 'offers-delta':
        return this.#receiveOffers(message, now);
      case 'offers-request':
        return message.origins.includes(this.self.id) ? this.#sendOffers() : undefined;
      default:
        return undefined;
    }
  }

  #receiveReach({ seq, whole, put, drop }: Reach, now: number): void {
    if (!whole && this.#nextReach === undefined) return;
    if (!whole && seq !== this.#nextReach) {
      // Older ones were overtaken by a whole one; after a gap everything is asked for anew.
      if (seq > this.#nextReach!) this.#nextReach = undefined;
      return;
    }
    this.#nextReach = seq + 1;
    const gone = whole ? [...this.#known.keys()].filter((id) => !put.some(({ router }) => router.id === id)) : drop;
    for (const id of gone) this.#lose(id, now);
    for (const { router, cost } of put)
      if (this.#known.has(router.id) || this.#known.size < MAX_ROUTERS) this.#known.set(router.id, { router, cost, lostAt: 0 });
    this.#changed();
  }

  #receiveOffers(advert: OffersAdvert | OffersDelta, now: number): void {
    const { origin } = advert;
    if (origin === this.self.id || !this.#database.hasRoomFor(origin)) return;
    const base = this.#database.offersVersion(origin);
    const order = compareVersions(advert, base);
    if (advert.kind === 'offers') {
      // The uplink's word counts, also where it is an older one: the origin may have started anew, with its clock set back.
      if (order === 0) return;
      this.#database.setOffers(advert);
      this.#asked.delete(origin);
    } else if (order <= 0) return;
    else if (advert.instance === base.instance && advert.seq === base.seq + 1) this.#database.applyDelta(advert);
    else return this.#ask(origin, now);
    this.#effects.changed = true;
  }

  #ask(origin: RouterId, now: number): void {
    const asked = this.#asked.get(origin);
    if (asked !== undefined && Math.abs(now - asked) < ASK_AGAIN_AFTER_MS) return;
    this.#asked.set(origin, now);
    this.#sendUp({ kind: 'offers-request', origins: [origin] });
  }

  #attach(link: LinkId, now: number): void {
    this.#active = link;
    this.#nextReach = undefined;
    this.#attachedAt = now;
    this.#sendUp({ kind: 'attach' });
    this.#sendDigest(now);
    this.#sendOffers();
    this.#changed();
  }

  #sendOffers(): void {
    const { offersVersion } = this.#database.routers.get(this.self.id)!;
    this.#sendUp({ kind: 'offers', origin: this.self.id, ...offersVersion, offers: [...this.#offers().values()] });
  }

  /** What this router knows of everyone's offers: the rest comes in answer, also what was lost on the way. */
  #sendDigest(now: number): void {
    this.#nextDigest = now + DIGEST_EVERY_MS;
    const entries = [...this.#database.routers].map(([origin, { offersVersion }]) => ({
      origin,
      instance: offersVersion.instance,
      topology: 0,
      offers: offersVersion.seq,
    }));
    this.#sendUp({ kind: 'digest', entries });
  }

  #loseAll(now: number): void {
    this.#nextReach = undefined;
    for (const id of this.#known.keys()) this.#lose(id, now);
    this.#changed();
  }

  #lose(id: RouterId, now: number): void {
    const known = this.#known.get(id);
    if (known && known.cost !== undefined) this.#known.set(id, { ...known, cost: undefined, lostAt: now });
  }

  #age(now: number): void {
    for (const [id, { cost, lostAt }] of this.#known)
      if (cost === undefined && Math.abs(now - lostAt) >= FORGET_AFTER_MS) this.#known.delete(id);
    if (this.#database.age((id) => this.paths.has(id), now)) this.#effects.changed = true;
    const uplink = this.#active === undefined ? undefined : this.#uplinks.get(this.#active)?.router.id;
    const isElsewhere = this.#database
      .offersOfEdge(this.self.id)
      .some(({ origin, offer }) => origin !== uplink && !offer.edge!.lost && this.paths.has(origin));
    if (!isElsewhere) this.#contestedSince = undefined;
    else this.#contestedSince ??= now;
  }

  #makePaths(): Map<RouterId, Path> {
    const paths = new Map<RouterId, Path>([[this.self.id, { cost: 0, first: this.self.id, hops: 0 }]]);
    const uplink = this.#active === undefined ? undefined : this.#uplinks.get(this.#active);
    if (!uplink) return paths;
    for (const [id, { cost }] of this.#known)
      if (cost !== undefined)
        paths.set(id, { cost: cost + uplink.cost, first: uplink.router.id, hops: id === uplink.router.id ? 1 : 2 });
    return paths;
  }

  #offers(): ReadonlyMap<string, Offer> {
    return this.#database.routers.get(this.self.id)!.offers;
  }

  #nextVersion() {
    return { origin: this.self.id, instance: this.#instance, seq: ++this.#offersSeq };
  }

  #changed(): void {
    this.#paths = undefined;
    this.#effects.changed = true;
  }

  #sendUp(message: RoutingMessage): void {
    if (this.#active !== undefined) this.#effects.send.push({ link: this.#active, message });
  }

  #take(): Effects {
    const effects = this.#effects;
    this.#effects = noEffects();
    return effects;
  }
}
