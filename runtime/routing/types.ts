/** Words of the routing protocol. Nothing in this folder knows of sockets, clocks or files. */

/** Unique in the network; made once by a site and kept. */
export type RouterId = string;
/** This router's own name for one of its links. */
export type LinkId = string;

export type Protocol = 'tcp' | 'udp' | 'http' | 'http2' | 'amqp';
export type Distribution = 'balanced' | 'closest' | 'multicast';

export interface RouterInfo {
  id: RouterId;
  site: { id: string; name: string };
  /** Of the software. */
  version: string;
  platform: 'kubernetes' | 'host';
  namespace?: string;
}

/** A port of a service at one router, with the servers behind it: pods' names, or `host:port`. */
export interface OfferedPort {
  port: number;
  targets: string[];
  /** Takes clients of this port only. Without it: of any port, as a routing key of Skupper's does. */
  exact?: true;
}

/** The servers of an offer that clients of a port may use: those of that very port, else those that take any. */
export function portFor(ports: readonly OfferedPort[], port: number): OfferedPort | undefined {
  return ports.find((offered) => offered.port === port) ?? ports.find(({ exact }) => !exact);
}

/** What one router offers under an address. */
export interface Offer {
  address: string;
  type: Protocol;
  distribution: Distribution;
  /** Ascending by port, at least one; without servers while none is ready. */
  ports: OfferedPort[];
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

/** What changed between `seq - 1` and `seq`; whoever has another base asks for the whole. */
export interface OffersDelta {
  kind: 'offers-delta';
  origin: RouterId;
  instance: number;
  seq: number;
  put: Offer[];
  drop: string[];
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

export type RoutingMessage = TopologyAdvert | OffersAdvert | OffersDelta | Digest | OffersRequest;

/** What the caller has to do after an input: send these, in this order. */
export interface Effects {
  send: { link: LinkId; message: RoutingMessage }[];
  /** Paths or services may have changed. */
  changed: boolean;
  /** Cut these links: the neighbour broke the protocol. */
  cut: { link: LinkId; reason: string }[];
}
