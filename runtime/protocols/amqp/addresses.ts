import { randomBytes } from 'node:crypto';
import type { Distribution } from '../../routing/types.ts';

/** An address that a hub made for one client, to be answered at. It leads to its router without being told to the network. */
const REPLY = '_reply/';

/** How messages to an address go out, by its prefix, as Skupper's router has it. */
export function distributionOf(address: string): Distribution {
  if (isUnder('mc', address)) return 'multicast';
  if (isUnder('closest', address)) return 'closest';
  return 'balanced';
}

/** A new address that leads back to this router. Nobody can guess it. */
export function replyAddress(router: string): string {
  return `${REPLY}${encodeURIComponent(router)}/${randomBytes(16).toString('base64url')}`;
}

/** The router that an address for replies leads to; undefined for any other address. */
export function replyRouter(address: string): string | undefined {
  if (!address.startsWith(REPLY)) return undefined;
  const [, router = ''] = address.split('/');
  try {
    return decodeURIComponent(router);
  } catch {
    return undefined;
  }
}

/** The separators are those of Skupper's router: `/` and `.`. */
function isUnder(prefix: string, address: string): boolean {
  return address.startsWith(prefix) && (address.length === prefix.length || '/.'.includes(address.charAt(prefix.length)));
}
