import type { Duplex } from 'node:stream';
import type { PortForward } from '../api/types.ts';
import type { DialOptions } from '../link/dial.ts';
import { type Endpoint, endpointName } from '../link/endpoint.ts';
import type { LinkConfig } from './config.ts';
import type { PortForwardDial } from './outgoing-link.ts';

/** One of the ways to the site at the other end of a link. */
export interface LinkWay extends Endpoint {
  /** It leads through a Kubernetes API server; host and port are for the HTTP request alone. */
  portForward?: PortForward;
}

/** What `link/dial.ts` needs for a way. */
type Route = Pick<DialOptions, keyof Endpoint | 'transport'>;

/** Those that have their turns: each endpoint, or the port-forward where there is one. */
export function waysOf({ portForward, endpoints }: Pick<LinkConfig, 'portForward' | 'endpoints'>): LinkWay[] {
  return portForward ? [{ host: 'port-forward', port: 443, portForward }] : endpoints;
}

/** `203.0.113.7:8443`, `kubernetes context prod, namespace shop`. */
export function wayName({ portForward, ...endpoint }: LinkWay): string {
  return portForward ? `kubernetes context ${portForward.context}, namespace ${portForward.namespace}` : endpointName(endpoint);
}

/** Resolves when all is there that a dial needs to go this way. */
export async function takeWay(
  { portForward, ...endpoint }: LinkWay,
  dial: PortForwardDial | undefined,
  signal: AbortSignal,
): Promise<Route> {
  return portForward ? { ...endpoint, transport: await forwarded(portForward, dial, signal) } : endpoint;
}

/** A connection to a site's port for links through an API server. Rejects where this router has no way to one. */
export async function forwarded(to: PortForward, dial: PortForwardDial | undefined, signal: AbortSignal): Promise<Duplex> {
  if (!dial) throw new Error('this router cannot use a kubeconfig; run it where one is at hand');
  return dial(to, signal);
}
