import { reachedAt } from '../words.ts';

/** Where a site's port for links is reached. */
export interface Endpoint {
  host: string;
  port: number;
  /** It is reached through this, whose URL has that host and that port. */
  tunnel?: Tunnel;
}

/** A WebSocket that carries connections to a site's port for links, where a proxy ends TLS before it. */
export interface Tunnel {
  /** `https://shop.example.com/caravan`: what stands before `/tunnel`, without a `/` at its end. */
  url: string;
  /** PEM: who signed what the proxy shows, where Node does not know them. */
  ca?: string;
}

/** `203.0.113.7:8443`, `[2001:db8::7]:8443`, `https://shop.example.com/caravan`. */
export function endpointName({ host, port, tunnel }: Endpoint): string {
  return reachedAt({ host, port, tunnel: tunnel?.url });
}

export function tunnelEndpoint(tunnel: Tunnel): Endpoint {
  const { protocol, hostname, port } = new URL(tunnel.url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)), tunnel };
}
