/** Words of the routing protocol. Nothing in this folder knows of sockets, clocks or files. */
import type { Intercept } from './intercept.ts';
import type { RequestRule } from './request-rule.ts';

/**
 * Version of what routers say to one another. 1 knew neither edge routers nor datagrams, 2 no labels of datagrams. A router says to a
 * neighbour only what that one's version knows, and passes over what a later version adds.
 */
export const PROTOCOL = 3;

/** Unique in the network; made once by a site and kept. */
export type RouterId = string;
/** This router's own name for one of its links. */
export type LinkId = string;

export type Protocol = 'tcp' | 'udp' | 'http' | 'http2' | 'amqp';
export type Aggregate = 'json' | 'multipart';
export type Distribution = 'balanced' | 'closest' | 'multicast';

export interface RouterInfo {
  id: RouterId;
  site: { id: string; name: string };
  /** Of the software. */
  version: string;
  platform: 'kubernetes' | 'host';
  namespace?: string;
  /** An edge router hangs on interior ones and carries nothing for others. Without it: interior. */
  role?: 'edge';
}

/** Who is at the other end of a link. */
export interface Neighbor {
  router: RouterInfo;
  /** The version of the protocol that it speaks. */
  protocol: number;
}

/** Where something in the network is: at an interior router, or at an edge router that hangs on it. */
export interface Place {
  router: RouterId;
  edge?: RouterId;
}

/** Whether what a neighbour sent is a place. */
export function isPlace(value: unknown): value is Place {
  const { router, edge } = (value ?? {}) as Partial<Record<keyof Place, unknown>>;
  return typeof router === 'string' && (edge === undefined || typeof edge === 'string');
}

/** The router that is there. */
export function routerAt({ router, edge }: Place): RouterId {
  return edge ?? router;
}

/** A port of a service at one router, with the servers behind it: pods' names, or `host:port`. */
export interface OfferedPort {
  port: number;
  targets: string[];
  /** Takes clients of this port only. Without it: of any port, as a routing key of Skupper's does. */
  exact?: true;
  /** Takes such requests only; without it those that are for nobody in particular. */
  rule?: RequestRule;
  /** Its share of the requests, relative to that of others. Default 1. */
  weight?: number;
  /** It stands in for the other servers of the address. */
  intercept?: Intercept;
}

/** What of an offer clients of a port may use: what is for that very port, else what takes any. */
export function portsFor(ports: readonly OfferedPort[], port: number): OfferedPort[] {
  const own = ports.filter((offered) => offered.exact && offered.port === port);
  return own.length > 0 ? own : ports.filter(({ exact }) => !exact);
}

/** What one router offers under an address. */
export interface Offer {
  address: string;
  type: Protocol;
  distribution: Distribution;
  /** What is made of the answers to a request that goes to all: multicast only. Without it, nothing: they are not waited for. */
  aggregate?: Aggregate;
  /** Its clients speak TLS: the Secret with the certificate that they are shown. Each site has its own. */
  listenerCredentials?: string;
  /** Its servers are at this edge router, which hangs on the one that advertises it. */
  edge?: OfferingEdge;
  /** Ascending by port, at least one; without servers while none is ready. */
  ports: OfferedPort[];
}

export interface OfferingEdge {
  router: RouterInfo;
  /** Of the link to it. */
  cost: number;
  /** It has gone without a word, and may come back. */
  lost?: true;
}

/** Tells the offers of one router apart: an address may be offered by it and by every edge that hangs on it. */
export function offerKey(address: string, edge: RouterId | undefined): string {
  return edge === undefined ? address : `${address} ${edge}`;
}

/**
 * Who is next to whom. An advertisement replaces every older one of its origin: a later instance (start of the router) is
 * newer, and within one instance the higher sequence number. As in OSPF's link state advertisements (RFC 2328, section 12).
 */
export interface TopologyAdvert {
  kind: 'topology';
  origin: RouterId;
  instance: number;
  seq: number;
  router: RouterInfo;
  neighbors: { id: RouterId; cost: number }[];
  /** It ends for good: what others know of it is over, too. Without this a router that falls silent is merely out of reach. */
  leaving?: true;
}

/** Everything a router offers. */
export interface OffersAdvert {
  kind: 'offers';
  origin: RouterId;
  instance: number;
  seq: number;
  offers: Offer[];
}

/** What changed between `seq - 1` and `seq`; whoever has another base asks for the whole. `drop` has keys (`offerKey`). */
export interface OffersDelta {
  kind: 'offers-delta';
  origin: RouterId;
  instance: number;
  seq: number;
  put: Offer[];
  drop: string[];
}

/** From an edge: this link is the one that it uses. It is told everything that it may know, and what it offers counts. */
export interface Attach {
  kind: 'attach';
}

/**
 * To an edge: which routers can be reached, and at what cost from here. As the summaries that an area border router of OSPF gives into
 * an area (RFC 2328, section 12.4.3): the edge learns how far things are, not what lies between.
 */
export interface Reach {
  kind: 'reach';
  /** One more each time on one link; whoever misses one attaches again. */
  seq: number;
  /** `put` is all there is. */
  whole?: true;
  put: { router: RouterInfo; cost: number }[];
  drop: RouterId[];
}

/** What a router has, so that its neighbour sends what is missing. Sent when a link comes up, and now and then to heal losses. */
export interface Digest {
  kind: 'digest';
  entries: { origin: RouterId; instance: number; topology: number; offers: number }[];
}

/** Asks a neighbour for the whole offers of these routers. */
export interface OffersRequest {
  kind: 'offers-request';
  origins: RouterId[];
}

export type RoutingMessage = TopologyAdvert | OffersAdvert | OffersDelta | Digest | OffersRequest | Attach | Reach;

/** What the caller has to do after an input: send these, in this order. */
export interface Effects {
  send: { link: LinkId; message: RoutingMessage }[];
  /** Paths or services may have changed. */
  changed: boolean;
  /** Cut these links: the neighbour broke the protocol. */
  cut: { link: LinkId; reason: string }[];
}

export function noEffects(): Effects {
  return { send: [], changed: false, cut: [] };
}
