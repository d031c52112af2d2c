import type { Database } from './database.ts';
import type { KnownOffer, KnownRouter } from './engine.ts';
import type { Path } from './paths.ts';
import type { Offer, RouterId, RouterInfo } from './types.ts';

/** An offer that a router advertises, with the way to whoever has its servers: that router, or an edge that hangs on it. */
export function knownOffer(offer: Offer, by: RouterInfo, path: Path | undefined): KnownOffer {
  const { edge } = offer;
  if (!edge) return { offer, place: { router: by.id }, router: by, cost: path?.cost };
  const cost = path && !edge.lost ? path.cost + edge.cost : undefined;
  return { offer, place: { router: by.id, edge: edge.router.id }, router: edge.router, cost };
}

/** The edge routers that are known because they offer something, by id. */
export function knownEdges(database: Database, paths: ReadonlyMap<RouterId, Path>): Map<RouterId, KnownRouter> {
  const edges = new Map<RouterId, KnownRouter>();
  for (const id of database.edges())
    for (const { origin, offer } of database.offersOfEdge(id)) {
      const { router, cost, lost } = offer.edge!;
      const path = lost ? undefined : paths.get(origin);
      // It may be lost in one place and be back in another.
      if (edges.get(id)?.path && !path) continue;
      edges.set(id, {
        ...router,
        path: path && { cost: path.cost + cost, first: path.first, hops: path.hops + 1 },
        neighbors: lost ? [] : [{ id: origin, cost }],
        lostAt: undefined,
      });
    }
  return edges;
}
