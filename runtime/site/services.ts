import type { Destination, ServiceStatus, SiteStatus } from '../api/types.ts';
import type { RoutingEngine } from '../routing/engine.ts';

/** Every service of the network, as this router's tables have it now. */
export function servicesOf(engine: RoutingEngine): ServiceStatus[] {
  const routers = new Map(engine.routers().map((router) => [router.id, router]));
  return engine
    .addresses()
    .sort()
    .map((address) => {
      const offers = engine.offersOf(address).sort((a, b) => (a.router < b.router ? -1 : 1));
      const reachable = offers.filter(({ path }) => path);
      const { type, distribution } = (reachable[0] ?? offers[0]!).offer;
      const destinations = reachable.flatMap(({ router, offer }): Destination[] => {
        const site = routers.get(router)?.site ?? { id: router, name: router };
        return offer.ports.flatMap(({ port, targets }) =>
          targets.map((target) => ({ site: site.name, siteId: site.id, router, target, port })),
        );
      });
      const lost = offers.map(({ router }) => routers.get(router)?.lostAt ?? 0);
      const warning = disagreement(
        address,
        reachable.map(({ router, offer }) => ({ site: routers.get(router)?.site.name ?? router, offer })),
      );
      return {
        address,
        type,
        distribution,
        ports: [
          ...new Set((reachable.length > 0 ? reachable : offers).flatMap(({ offer }) => offer.ports.map(({ port }) => port))),
        ].sort((a, b) => a - b),
        destinations,
        ...(destinations.length === 0 && Math.max(...lost) > 0 && { lastOffered: new Date(Math.max(...lost)).toISOString() }),
        ...(warning && { warning }),
      };
    });
}

type OfferAtSite = { site: string; offer: Pick<ServiceStatus, 'type' | 'distribution'> & { ports: { port: number }[] } };

function disagreement(address: string, offers: OfferAtSite[]): string | undefined {
  const [first, ...others] = offers.map(({ site, offer }) => {
    const ports = offer.ports.map(({ port }) => port).join(', ');
    return { site, says: `${offer.type} on port ${ports}, ${offer.distribution}` };
  });
  const other = others.find(({ says }) => says !== first!.says);
  if (!other) return undefined;
  return `${first!.site} offers ${address} as ${first!.says}; ${other.site} as ${other.says}. Make them the same.`;
}

/** Every site of the network that is known, this one first. */
export function sitesOf(engine: RoutingEngine): SiteStatus[] {
  const routers = engine.routers();
  const siteOf = new Map(routers.map(({ id, site }) => [id, site]));
  const sites = new Map<string, SiteStatus>();
  for (const { id, site, version, platform, namespace, path, neighbors } of routers) {
    const known = sites.get(site.id) ?? {
      id: site.id,
      name: site.name,
      version,
      platform,
      ...(namespace && { namespace }),
      routers: [],
      reachable: false,
      neighbors: [],
    };
    sites.set(site.id, known);
    known.routers.push(id);
    known.reachable ||= path !== undefined;
    for (const neighbor of neighbors) {
      const there = siteOf.get(neighbor.id);
      if (there && there.id !== site.id) known.neighbors.push({ site: there.name, cost: neighbor.cost });
    }
  }
  const self = engine.self.site.id;
  return [...sites.values()].sort((a, b) => Number(b.id === self) - Number(a.id === self) || (a.name < b.name ? -1 : 1));
}
