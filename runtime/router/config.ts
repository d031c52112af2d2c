/** What a router is asked to do, worked out from resources by site/. Names are unique within each list. */
import type { PortForward } from '../api/types.ts';
import type { AddressChoice } from '../routing/address-choice.ts';
import type { LinkCredentials } from '../link/dial.ts';
import type { Endpoint } from '../link/endpoint.ts';
import type { TargetOptions } from '../protocols/tcp/tcp-target.ts';
import type { ServerTls } from '../protocols/tls/server-tls.ts';
import type { Intercept } from '../routing/intercept.ts';
import type { RequestRule } from '../routing/request-rule.ts';
import type { Aggregate, Distribution, Protocol } from '../routing/types.ts';
import type { Target } from '../site/resources.ts';

export interface ListenerConfig {
  name: string;
  /** The address; of several, all their names. */
  address: string;
  /** Several addresses, and how one of them is chosen. */
  choice?: AddressChoice;
  type: Protocol;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** The port of the address that clients mean. */
  servicePort: number;
  /** Where `port` cannot be had, take one that the system chooses. */
  orAnyPort: boolean;
  /** How the destination of these clients is chosen, whatever those that offer the address say. */
  distribution?: Distribution;
  /** Clients speak TLS. */
  tls?: ServerTls;
  /** A connection on which nothing moved for so long is reset. Milliseconds. */
  idleMs?: number;
  source: string;
}

export interface ConnectorConfig extends TargetOptions {
  name: string;
  address: string;
  type: Protocol;
  distribution: Distribution;
  /** What is made of the answers where requests go to all. */
  aggregate?: Aggregate;
  /** The Secret with the certificate that clients of the address are shown, where clusters make listeners for it. */
  listenerCredentials?: string;
  /** Which requests it takes. */
  rule?: RequestRule;
  /** Its share of the requests. */
  weight?: number;
  /** It stands in for the other servers of the address. */
  intercept?: Intercept;
  /** The service port, which clients see. */
  port: number;
  /** One of several ports of its address: clients of another port are not for it. */
  exact: boolean;
  targets: Target[];
  /** Why there are no targets. */
  pending: string | undefined;
  source: string;
}

export interface LinkConfig {
  name: string;
  cost: number;
  /** Tried in turn. */
  endpoints: Endpoint[];
  credentials: LinkCredentials;
  /** The site at the other end. */
  siteId: string;
  portForward: PortForward | undefined;
}
