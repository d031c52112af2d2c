/**
 * What the management API says: the one vocabulary of `caravan status -o json`, the trees and the controller.
 * Times are ISO 8601 in UTC. Everything here is a snapshot made from the router's own tables, never a stored status.
 */

import type { Aggregate, Distribution, Intercept, Protocol } from './vocabulary.ts';

export type { Distribution, Intercept, Protocol };

/** `up` carries traffic; `connecting` tries, `message` says what it last met; `failed` will not try again without a change. */
export type LinkState = 'up' | 'connecting' | 'failed';
export type LinkDirection = 'outgoing' | 'incoming';

export interface SiteIdentity {
  id: string;
  name: string;
  version: string;
}

export interface SiteStatus extends SiteIdentity {
  /** Where the router runs: shown as an icon and in tooltips. */
  platform: 'kubernetes' | 'host';
  /** Kubernetes only. */
  namespace?: string;
  /** It hangs on other sites, and carries nothing for them. */
  edge?: true;
  /** Ids of this site's routers (one, unless it is replicated). */
  routers: string[];
  /** False while no path leads there. */
  reachable: boolean;
  /** Neighbouring sites, with the cost of the link to each. */
  neighbors: { site: string; cost: number }[];
}

export interface LinkStatus {
  /** The Link resource's name for an outgoing link; `from-<site>` for an incoming one, `from-<site>-2` for the second of that name. */
  id: string;
  /** Name of the site that this end belongs to. */
  site: string;
  /** Name of the site at the other end, once known. */
  peer?: string;
  peerId?: string;
  cost: number;
  state: LinkState;
  /** Of an edge site: it is up, and carries traffic when the one in use is lost. */
  standby?: true;
  direction: LinkDirection;
  /** Where it dials: `203.0.113.7:8443`, `https://shop.example.com/caravan`, or `kubernetes context kind-west, namespace shop`. Outgoing only. */
  endpoint?: string;
  /** The HTTP proxy that it goes through: `proxy.example.com:3128`. */
  proxy?: string;
  /** One sentence: why it is not up. */
  message?: string;
  /** When `message` was last true. */
  messageTime?: string;
  /** Since when it is in this state. */
  since: string;
  /** When the certificate ends that lets the dialling site in. It is renewed long before. */
  certificateEnds?: string;
  /** Round trip of the last ping, milliseconds. */
  rttMs?: number;
  /** Totals since the link came up. */
  bytesIn?: number;
  bytesOut?: number;
  streams?: number;
  /** Bytes a second, both ways together, over the last five seconds; undefined: none. */
  bytesPerSecond?: number;
}

export interface Destination {
  /** Site name. */
  site: string;
  siteId: string;
  /** Router id. */
  router: string;
  /** What serves there: a pod's name, or `host:port`. One entry a target. */
  target: string;
  /** The service port it answers. */
  port: number;
}

/** How something stands in for a service's servers. */
export interface StandIn {
  how: Intercept;
  /** `baggage: caravan=ada`: only requests with this. */
  header?: string;
}

/** Who stands in for a service's servers. */
export interface InterceptStatus extends StandIn {
  /** Site name. */
  site: string;
  siteId: string;
  /** What it leads to: `host:port`. */
  target: string;
  /** The service's port that it is for; none: whichever. */
  port?: number;
}

export interface ServiceStatus {
  address: string;
  type: Protocol;
  distribution: Distribution;
  /** Its clients in clusters speak TLS: the Secret of their namespace with the certificate that they are shown. */
  listenerCredentials?: string;
  /** Ports that clients use, ascending. */
  ports: number[];
  /** Sites that expose it but have no server ready. */
  pending?: string[];
  /** Empty: offered nowhere; then `lastOffered` tells since when, where known. */
  destinations: Destination[];
  /** Who stands in for the destinations; they get what is left. */
  intercepts?: InterceptStatus[];
  lastOffered?: string;
  /** Two sites that disagree about type, distribution or ports: one sentence that names both. */
  warning?: string;
}

export interface ListenerStatus {
  name: string;
  address: string;
  type: Protocol;
  host: string;
  /** The port that is, or will be, listened on; 0 while the system has not chosen yet. */
  port: number;
  /** The service port that clients reach through it. */
  servicePort: number;
  /** `closed`: nothing offers the address, so connections are refused. `failed`: `message` says why. */
  state: 'open' | 'closed' | 'failed';
  message?: string;
  /** `auto`: made because the network offers the service; otherwise where the resource stands (file, ConfigMap, command). */
  source: string;
  /** That are open now. */
  connections: number;
  totals?: ListenerTotals;
  /** Requests a second, or connections where it knows of no requests, over the last five seconds; undefined: none. */
  perSecond?: number;
}

/** Since the listener was made. */
export interface ListenerTotals {
  /** Of udp, flows. */
  connections: number;
  /** Of http and http2. */
  requests?: number;
  /** Connections and requests that no server took. */
  unserved: number;
}

export interface ConnectorStatus {
  name: string;
  address: string;
  type: Protocol;
  distribution: Distribution;
  port: number;
  /** `host:port`, or the pods' names. Empty when nothing is ready; `message` says what is missing. */
  targets: string[];
  state: 'ready' | 'pending' | 'failed';
  message?: string;
  /** It stands in for the servers of others. */
  intercept?: StandIn;
  source: string;
  connections: number;
}

/** A place where links and claims come in. */
export interface AccessStatus {
  host: string;
  port: number;
  /** How it is reached: `LoadBalancer`, `NodePort`, `direct` on a host, or `tunnel` behind a proxy that ends TLS. */
  way: string;
  /** Of a tunnel: its URL, `https://shop.example.com/caravan`. */
  tunnel?: string;
}

/** A SOCKS5 and HTTP proxy on loopback that knows the network's services by the names that pods use. */
export interface ProxyStatus {
  host: string;
  port: number;
}

/** Something in the wished state that cannot be had: shown where the user looks. */
export interface Problem {
  /** File and line, ConfigMap, or object: `links.yaml:3`, `Service backend`. */
  where: string;
  /** One sentence: what is wrong and what to do. */
  message: string;
}

export interface Status {
  site: SiteIdentity & {
    platform: 'kubernetes' | 'host';
    namespace?: string;
    edge?: true;
    /** When the certificate ends that this site shows to those that dial it. It is renewed long before. */
    certificateEnds?: string;
    /** When its authority ends, which is not renewed: from then on nobody is let in. */
    authorityEnds?: string;
  };
  router: { id: string; startTime: string; pid: number };
  sites: SiteStatus[];
  links: LinkStatus[];
  services: ServiceStatus[];
  listeners: ListenerStatus[];
  connectors: ConnectorStatus[];
  access: AccessStatus[];
  /** Where one is open. */
  proxy?: ProxyStatus;
  problems: Problem[];
}

export interface IssueTokenRequest {
  /** How long it may be redeemed: `15m` (default), `1h`, `30s`. */
  expires?: string;
  /** How many sites it lets in; default 1. */
  uses?: number;
}

export interface IssuedToken {
  /** The AccessToken resource as YAML, ready for a file. */
  yaml: string;
  name: string;
  expires: string;
  uses: number;
}

/** How a site is reached that has no way in of its own: through the Kubernetes API server's port-forward. */
export interface PortForward {
  kubeconfig?: string;
  context: string;
  namespace: string;
}

export interface RedeemTokenRequest {
  yaml: string;
  /** Default 1. */
  cost?: number;
  /** Name of the Link that is made; default: the token's. */
  name?: string;
  portForward?: PortForward;
}

export interface RedeemedLink {
  link: string;
  /** Name of the site that it leads to. */
  peer: string;
}

export interface ExposeRequest {
  address: string;
  /** Where the server listens, and the port that clients see. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  type?: Protocol;
  distribution?: Distribution;
  /** What is made of the answers to http requests that go to all; without it they are not waited for. */
  aggregate?: Aggregate;
  /** Only requests with this field, as `baggage: caravan=ada`. http and http2. */
  header?: string;
  /** Only requests for this path and what is below it. http and http2. */
  pathPrefix?: string;
  /** Its share of the requests, from 1 on. http and http2. */
  weight?: number;
  /** Tells the server of each connection where its client is. tcp. */
  proxyProtocol?: 'v2';
  /** The server speaks TLS. */
  tls?: ServerTrust;
  /** Clients in clusters speak TLS: the Secret of their namespace with the certificate that they are shown. */
  listenerCredentials?: string;
}

/** How the server's certificate is verified, and what the server is shown. */
export interface ServerTrust {
  /** PEM: who signed it. Default: the authorities that the system trusts. */
  authority?: string;
  /** The name that it is for; default: the host. */
  serverName?: string;
  /** It is not verified. */
  insecure?: boolean;
  /** What the server is shown where it asks for a client certificate. */
  client?: KeyPair;
}

/** A port of this site stands in for the servers of a service that others offer. */
export interface InterceptRequest {
  address: string;
  /** Where the server listens. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default `take-some`. */
  how?: Intercept;
  /** Only requests with this: `baggage: caravan=ada`. Default for `take-some`: with the name of the user whose router this is. */
  header?: string;
  /** Which port of the service, where it has several. */
  servicePort?: number;
  /** Only for as long as the connection of this call stands, which the answer leaves open. Default false: until it is removed. */
  hold?: boolean;
}

export interface ListenRequest {
  address: string;
  /** 0 lets the system choose. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  type?: Protocol;
  /** The port of the address that clients mean, where it has several; default: `port`. */
  servicePort?: number;
  /** How servers are chosen for these clients; default: as the address says. tcp, http and http2. */
  distribution?: Exclude<Distribution, 'multicast'>;
  /** As `5m`: a connection on which nothing moved for so long is reset. tcp. */
  idleTimeout?: string;
  /** Clients speak TLS. */
  tls?: ListenerKeys;
  /** With TLS: what clients may speak, best first, as `h2, http/1.1`. */
  alpn?: string;
}

/** A certificate and its key. PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** What a listener shows to its clients. PEM. */
export interface ListenerKeys extends KeyPair {
  /** Clients must show a certificate that this authority signed. */
  clientAuthority?: string;
}

/** Without a port one that is open stays as it is, else the system chooses, as it does for 0. */
export interface ProxyRequest {
  port?: number;
}

/** One step of the answer to "why can't I reach it?". */
export interface ExplainStep {
  ok: boolean | undefined;
  title: string;
  detail: string;
}

export interface Explanation {
  address: string;
  /** The answer in one sentence. */
  summary: string;
  steps: ExplainStep[];
}

/** A resource that a command made: its name is what removes it. */
export interface MadeResource {
  kind: 'Link' | 'Listener' | 'Connector';
  name: string;
}

/** What stands in for a service's servers. */
export interface MadeIntercept extends MadeResource {
  /** Only requests with this. */
  header?: string;
}

/** The body of every answer that is not 2xx. */
export interface ApiErrorBody {
  /** Stable, for programs: `token-expired`, `not-found`, `bad-request`, `conflict`. */
  code: string;
  /** One sentence for people. */
  message: string;
}
