/** Which networks there are, and which services each has: from what their sites say. */
import type { ListenerStatus, ServiceStatus, SiteStatus } from '../../runtime/api/types.ts';
import { browserUrl, connectionString } from '../laptop/connection-string.ts';
import { DEMO_PREFIX, isDemo, isLaptop, siteLabel } from '../sites/site-ref.ts';
import type { SiteView } from '../sites/watched-site.ts';

export interface Network {
  /** The least id of its sites: stable while they stay together. */
  id: string;
  name: string;
  /** The sites that can be asked, best first: this laptop, then others of this computer, then those in clusters. */
  views: SiteView[];
  /** Every site that any of them knows. */
  sites: SiteStatus[];
  services: Service[];
}

export interface Service extends ServiceStatus {
  /** `localhost:5432`, where this computer listens for it. */
  local?: string;
  /** `postgresql://localhost:5432`, where there is `local`. */
  connection?: string;
  /** `http://localhost:8080`, where a browser can show it. */
  url?: string;
  /** What comes in a second at all sites that can be asked; undefined: nothing. */
  perSecond?: number;
  /** A listener of this computer that could not be had. */
  failed?: ListenerStatus;
}

export function networksOf(views: readonly SiteView[]): Network[] {
  const live = views.filter(({ status, state }) => status && state === 'live');
  const groups: { ids: Set<string>; views: SiteView[] }[] = [];
  for (const view of live) {
    const ids = new Set([view.status!.site.id, ...view.status!.sites.filter(({ reachable }) => reachable).map(({ id }) => id)]);
    const joined = groups.filter((group) => [...ids].some((id) => group.ids.has(id)));
    for (const group of joined) groups.splice(groups.indexOf(group), 1);
    groups.push({
      ids: new Set([...ids, ...joined.flatMap((group) => [...group.ids])]),
      views: [...joined.flatMap((group) => group.views), view],
    });
  }
  const networks = groups.map(({ ids, views: members }) =>
    toNetwork(
      ids,
      members.toSorted((a, b) => rank(a) - rank(b)),
    ),
  );
  return networks.toSorted((a, b) => rank(a.views[0]!) - rank(b.views[0]!) || b.sites.length - a.sites.length);
}

/** What people call a site, from anywhere in the network: `west/shop` where its context is known, else its own name. */
export function siteNames(views: readonly SiteView[]): (site: { id?: string | undefined; name?: string | undefined }) => string {
  const labels = new Map(views.flatMap(({ ref, status }) => (status ? [[status.site.id, siteLabel(ref)] as const] : [])));
  return ({ id, name }) => labels.get(id ?? '') ?? name ?? 'a site not known yet';
}

function toNetwork(ids: Set<string>, views: SiteView[]): Network {
  const sites = new Map(views.flatMap(({ status }) => status!.sites).map((site) => [site.id, site]));
  const services = new Map<string, Service>();
  for (const { status } of views)
    for (const service of status!.services) {
      const known = services.get(service.address);
      services.set(service.address, known ? merged(known, service) : { ...service });
    }
  for (const service of services.values()) Object.assign(service, heard(service, views), rateOf(service, views));
  return {
    id: [...ids].toSorted()[0]!,
    name: nameOf(views),
    views,
    sites: [...sites.values()].filter(({ id }) => ids.has(id)),
    services: [...services.values()].toSorted((a, b) => a.address.localeCompare(b.address)),
  };
}

/** Sites agree but for the moment of a change: then the one that knows more destinations is ahead. */
function merged(a: Service, b: ServiceStatus): Service {
  const ahead = b.destinations.length > a.destinations.length ? b : a;
  const warning = a.warning ?? b.warning;
  return { ...ahead, ...(warning ? { warning } : {}) };
}

function heard({ address, type }: Service, views: readonly SiteView[]): Pick<Service, 'local' | 'connection' | 'url' | 'failed'> {
  const listeners = views.filter(({ ref }) => ref.where === 'local').flatMap(({ status }) => status!.listeners);
  const own = listeners.filter((listener) => listener.address === address);
  const open = own.find(({ state, port }) => state === 'open' && port > 0);
  const failed = own.find(({ state }) => state === 'failed');
  if (!open) return failed ? { failed } : {};
  const local = `localhost:${open.port}`;
  const here = { type, servicePort: open.servicePort, local };
  const url = browserUrl(here);
  return { local, connection: connectionString(here), ...(url === undefined ? {} : { url }) };
}

function rateOf({ address }: Service, views: readonly SiteView[]): Pick<Service, 'perSecond'> {
  const listeners = views.flatMap(({ status }) => status!.listeners).filter((listener) => listener.address === address);
  const perSecond = listeners.reduce((sum, listener) => sum + (listener.perSecond ?? 0), 0);
  return perSecond > 0 ? { perSecond: Number(perSecond.toPrecision(2)) } : {};
}

function rank({ ref }: SiteView): number {
  if (isLaptop(ref)) return 0;
  if (ref.where === 'cluster') return 3;
  return isDemo(ref) && ref.name !== `${DEMO_PREFIX}laptop` ? 2 : 1;
}

/** After the first site in a cluster, as people say "the shop network". */
function nameOf(views: readonly SiteView[]): string {
  const cluster = views.find(({ ref }) => ref.where === 'cluster');
  if (cluster?.ref.where === 'cluster') return cluster.ref.namespace;
  if (views.some(({ ref }) => isDemo(ref))) return 'demo';
  const peer = views[0]!.status!.sites.find(({ platform }) => platform === 'kubernetes');
  return peer?.namespace ?? peer?.name ?? siteLabel(views[0]!.ref);
}
