import type { KnownOffer } from './engine.ts';
import type { LinkId, Place, RouterId } from './types.ts';

/** What a router offers that a path leads to. */
export type Member = KnownOffer & { cost: number };

/**
 * Of what is offered under an address, that which can be reached: each router once. An edge that has just changed its uplink may be known in two
 * places, and is sent to where it is nearer.
 */
export function membersOf(offers: readonly KnownOffer[]): Member[] {
  const nearest = new Map<RouterId, Member>();
  for (const offer of offers) {
    if (!isReachable(offer)) continue;
    const known = nearest.get(offer.router.id);
    if (!known || offer.cost < known.cost) nearest.set(offer.router.id, offer);
  }
  return [...nearest.values()];
}

function isReachable(offer: KnownOffer): offer is Member {
  return offer.cost !== undefined;
}

/**
 * The members of a multicast that each link leads to: a router sends one copy over each, with that link's share of the members, and
 * the next router shares it out again. So no link carries a copy twice, and since the shares are disjoint, no member gets two, whatever
 * the tables of the routers in between say. Members that no way leads to are left out.
 */
export function sharesByLink(members: readonly Place[], nextHop: (member: Place) => LinkId | undefined): Map<LinkId, Place[]> {
  const shares = new Map<LinkId, Place[]>();
  for (const member of members) {
    const link = nextHop(member);
    if (link === undefined) continue;
    const share = shares.get(link);
    if (share) share.push(member);
    else shares.set(link, [member]);
  }
  return shares;
}
