import { isIPv6, type Socket } from 'node:net';

/** Where a client is, as the next hop is told. */
export interface Origin {
  /** For `X-Forwarded-For`: the bare address. */
  readonly address: string;
  /** For `Forwarded`: an IPv6 address is in brackets, and quoted (RFC 7239, section 6). */
  readonly node: string;
  /** What the client speaks: TLS ends at the listener. */
  readonly proto: 'http' | 'https';
}

/** Of one that has no address it is `unknown`. */
export function originOf(client: Pick<Socket, 'remoteAddress'>): Origin {
  const address = plainAddress(client.remoteAddress ?? 'unknown');
  const node = isIPv6(address) ? `"[${address}]"` : address;
  return { address, node, proto: 'encrypted' in client ? 'https' : 'http' };
}

/** A client of IPv4 is one, also at a socket of IPv6 (RFC 4291, section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
