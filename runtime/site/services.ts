import type { Destination, InterceptStatus, ServiceStatus, SiteStatus } from '../api/types.ts';
import type { KnownOffer, KnownRouter, RoutingEngine } from '../routing/engine.ts';
import { headerText } from '../routing/request-rule.ts';
import type { RouterId } from '../routing/types.ts';

/** Every service of the network, as this router's tables have it now. */
export function servicesOf(engine: RoutingEngine): ServiceStatus[] {
  const routers = new Map(engine.routers().map((router) => [router.id, router]));
  return engine
    .addresses()
    .sort()
    .flatMap((address) => {
      const offers = engine.offersOf(address).sort((a, b) => (a.router.id < b.router.id ? -1 : 1));
      return offers.length > 0 ? [serviceOf(address, offers, routers)] : [];
    });
}

function serviceOf(address: string, offers: KnownOffer[], routers: ReadonlyMap<RouterId, KnownRouter>): ServiceStatus {
  // Who stands in for a service says nothing of what it is, unless nobody else is left.
  const whole = offers.filter(({ offer }) => offer.ports.some(({ intercept }) => !intercept));
  const reachable = whole.filter(({ cost }) => cost !== undefined);
  const told = reachable.length > 0 ? reachable : whole.length > 0 ? whole : offers;
  const intercepts = offers.filter(({ cost }) => cost !== undefined).flatMap(interceptsOf);
  const destinations = reachable.flatMap(destinationsOf);
  const pending = reachable.filter(({ offer }) => offer.ports.every(({ targets }) => targets.length === 0));
  const lostAt = Math.max(0, ...offers.map(({ place }) => routers.get(place.edge ?? place.router)?.lostAt ?? 0));
  const listenerCredentials = told.map(({ offer }) => offer.listenerCredentials).find((name) => name !== undefined);
  const warning = disagreement(address, reachable);
  return {
    address,
    type: told[0]!.offer.type,
    distribution: told[0]!.offer.distribution,
    ...(listenerCredentials !== undefined && { listenerCredentials }),
    // 0: nobody connects to it at a port.
    ports: [...new Set(told.flatMap(({ offer }) => offer.ports.map(({ port }) => port)))].filter(Boolean).sort((a, b) => a - b),
    destinations,
    ...(intercepts.length > 0 && { intercepts }),
    ...(pending.length > 0 && { pending: pending.map(({ router }) => router.site.name) }),
    ...(destinations.length === 0 && lostAt > 0 && { lastOffered: new Date(lostAt).toISOString() }),
    ...(warning && { warning }),
  };
}

function destinationsOf({ router, offer }: KnownOffer): Destination[] {
  const { id, site } = router;
  return offer.ports.flatMap(({ port, targets, intercept }) =>
    intercept ? [] : targets.map((target) => ({ site: site.name, siteId: site.id, router: id, target, port })),
  );
}

function interceptsOf({ router: { site }, offer }: KnownOffer): InterceptStatus[] {
  return offer.ports.flatMap(({ intercept, rule, targets, port, exact }) =>
    intercept
      ? targets.map((target) => ({
          how: intercept,
          site: site.name,
          siteId: site.id,
          target,
          ...(exact && { port }),
          ...(rule?.header && { header: headerText(rule.header) }),
        }))
      : [],
  );
}

/** Where sites say different things of one service. A port that takes any client may differ from site to site. */
function disagreement(address: string, offers: KnownOffer[]): string | undefined {
  const [first, ...others] = offers.map(({ router, offer }) => {
    const exact = offer.ports.filter((port) => port.exact).map(({ port }) => port);
    const { type, distribution, listenerCredentials: credentials } = offer;
    const shown = credentials === undefined ? [] : [`with the certificate of the Secret ${credentials}`];
    return { site: router.site.name, says: [type, distribution, ...exact, ...shown].join(' ') };
  });
  const other = others.find(({ says }) => says !== first!.says);
  if (!other) return undefined;
  return `${first!.site} offers ${address} as ${first!.says}, ${other.site} as ${other.says}. Make them the same.`;
}

/** Every site of the network that is known, this one first. */
export function sitesOf(engine: RoutingEngine): SiteStatus[] {
  const routers = engine.routers();
  const siteOf = new Map(routers.map(({ id, site }) => [id, site]));
  const sites = new Map<string, SiteStatus>();
  for (const { id, site, version, platform, namespace, role, path, neighbors } of routers) {
    const known = sites.get(site.id) ?? {
      id: site.id,
      name: site.name,
      version,
      platform,
      ...(namespace && { namespace }),
      ...(role === 'edge' && { edge: true as const }),
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
