import type { KnownOffer } from './engine.ts';
import type { LinkId, Place, RouterId } from './types.ts';

/**
 * Where the members of a multicast are: each router once. An edge that has just changed its uplink may be known in two places, and is
 * sent to where it is nearer.
 */
export function membersOf(offers: readonly KnownOffer[]): Place[] {
  const nearest = new Map<RouterId, { place: Place; cost: number }>();
  for (const { router, place, cost } of offers) {
    if (cost === undefined) continue;
    const known = nearest.get(router.id);
    if (!known || cost < known.cost) nearest.set(router.id, { place, cost });
  }
  return [...nearest.values()].map(({ place }) => place);
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
