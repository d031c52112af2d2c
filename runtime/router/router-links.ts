import type { Link } from '../link/link.ts';
import type { LinkId } from '../routing/types.ts';

/** How long a destination may take to accept a stream, before the next one is tried. Milliseconds. */
export const ACCEPT_WITHIN_MS = 15_000;
/** From this version of the protocol on, neighbours take what goes to many. */
export const MULTICAST_SINCE_PROTOCOL = 2;

/** The links of a router, for those parts of it that send over them. */
export interface RouterLinks {
  get(id: LinkId): { link: Link; protocol: number } | undefined;
}
