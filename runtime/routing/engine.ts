import { EdgeEngine } from './edge-engine.ts';
import { InteriorEngine } from './interior-engine.ts';
import type { Path } from './paths.ts';
import type { Effects, LinkId, Neighbor, Offer, Place, RouterId, RouterInfo } from './types.ts';

/**
 * One router's part of the routing protocol: a state machine without sockets, clocks or randomness. Every input returns what has to
 * be sent; time comes in as a number. Simulation and product run this same code. See docs/routing.md.
 */
export interface RoutingEngine {
  readonly self: RouterInfo;
  /** A link carries traffic now. Both ends have shown who they are: that is the link's business. */
  linkUp(link: LinkId, neighbor: Neighbor, cost: number, now: number): Effects;
  linkCost(link: LinkId, cost: number, now: number): Effects;
  linkDown(link: LinkId, now: number): Effects;
  /** Replaces what this router offers. Only the difference travels. */
  setOffers(offers: readonly Offer[]): Effects;
  /** Tells the network that this router ends for good, so that nobody waits for it. Nothing is advertised from then on. */
  leave(): Effects;
  /** A message from a neighbour. An invalid one cuts its link and changes nothing else. */
  receive(link: LinkId, message: unknown, now: number): Effects;
  /** Lets time pass; call it about ten times a second. */
  tick(now: number): Effects;

  /** Where this router is: what is sent there comes to it. An edge is where its uplink is. */
  readonly place: Place;
  /** The paths from here to interior routers, and to itself. */
  readonly paths: ReadonlyMap<RouterId, Path>;
  /** The link towards a place; undefined while none leads there, and for this router itself. */
  nextHop(place: Place): LinkId | undefined;
  /** Of an edge: whether this uplink only waits for another one to be lost. */
  isStandby(link: LinkId): boolean;
  /** Everyone that is known, this router among them. */
  routers(): KnownRouter[];
  addresses(): string[];
  /** Every router that offers an address, reachable or not. */
  offersOf(address: string): KnownOffer[];
  /** Whether another router seems to live under this one's id. */
  readonly isContested: boolean;
}

/** A router as this one knows it. */
export interface KnownRouter extends RouterInfo {
  /** Undefined while no path leads there. */
  path: Path | undefined;
  neighbors: { id: RouterId; cost: number }[];
  /** When the last path to it was lost, milliseconds of the caller's clock. */
  lostAt: number | undefined;
}

/** What one router offers, as this one knows it. */
export interface KnownOffer {
  offer: Offer;
  /** Where its servers are. */
  place: Place;
  /** Of the router whose servers they are. */
  router: RouterInfo;
  /** Of the way there; undefined while there is none. */
  cost: number | undefined;
}

/** `instance` must grow from start to start of the same router: `INSTANCES_PER_MS` times the milliseconds since 1970, and a random rest. */
export function createEngine(self: RouterInfo, instance: number): RoutingEngine {
  return self.role === 'edge' ? new EdgeEngine(self, instance) : new InteriorEngine(self, instance);
}
