/** The sites of a context: in the whole cluster where that may be seen, else in the context's own namespace. */
import type { V1Deployment } from '@kubernetes/client-node';
import { isStatus } from './api-errors.ts';
import { type ClusterClient, type ListOptions } from './client.ts';
import { versionOf, wayInOf } from './install/live-site.ts';
import { readinessOf } from './install/readiness.ts';
import { CARAVAN, LINKS_SERVICE, OWN_SELECTOR, ROUTER_SELECTOR, SITE_ANNOTATION } from './names.ts';
import { type Kind, nameOf } from './objects.ts';
import type { CallOptions, SiteInCluster, SitesInContext } from './types.ts';
import { ObjectWatch } from './watch.ts';

export async function findSitesWith(client: ClusterClient, own: string, options: CallOptions = {}): Promise<SitesInContext> {
  const wide = await unlessForbidden(client.list('Namespace', undefined, options));
  const sites = await unlessForbidden(sitesIn(client, undefined, options));
  const namespaces = wide?.items.map(nameOf) ?? [own];
  if (sites) return { sites, namespaces };
  const limited = `Only the namespace ${own} is shown: you may not list Deployments in the whole cluster (${client.where}).`;
  return { sites: await sitesIn(client, own, options), namespaces, limited };
}

async function sitesIn(client: ClusterClient, namespace: string | undefined, options: CallOptions): Promise<SiteInCluster[]> {
  const own: ListOptions = { ...options, labelSelector: OWN_SELECTOR };
  const { items } = await client.list('Deployment', namespace, own);
  const routers = items.filter((deployment) => nameOf(deployment) === CARAVAN);
  return Promise.all(routers.map((deployment) => describe(client, deployment, options)));
}

async function describe(client: ClusterClient, deployment: V1Deployment, options: CallOptions): Promise<SiteInCluster> {
  const { namespace = '', annotations = {} } = deployment.metadata ?? {};
  const [links, pods] = await Promise.all([
    client.read('Service', namespace, LINKS_SERVICE, options),
    client.list('Pod', namespace, { ...options, labelSelector: ROUTER_SELECTOR }),
  ]);
  const { ready, message } = readinessOf(deployment, pods.items);
  return {
    namespace,
    name: annotations[SITE_ANNOTATION] ?? namespace,
    version: versionOf(deployment),
    ready,
    ...(message ? { message } : {}),
    wayIn: wayInOf(links),
  };
}

/** Calls back whenever `findSitesWith` may say something else than before. */
export async function watchSitesWith(
  client: ClusterClient,
  own: string,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  const all = await unlessForbidden(client.list('Deployment', undefined, { labelSelector: OWN_SELECTOR, signal })).catch(
    () => ({}),
  );
  const namespace = all ? undefined : own;
  const watch = (kind: Kind, labelSelector: string) =>
    new ObjectWatch(client, { kind, namespace, labelSelector }, changed, signal);
  watch('Deployment', OWN_SELECTOR);
  watch('Pod', ROUTER_SELECTOR);
}

async function unlessForbidden<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatus(error, 403)) return undefined;
    throw error;
  }
}
