/** Applies all that a site is, then waits until its router runs. Over one that is there it gives it another way in, and keeps the rest. */
import { CaravanError } from '../../errors.ts';
import { isAlreadyThere, isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { LINKS_SERVICE, MADE_NAMESPACE_ANNOTATION, OWN_LABELS } from '../names.ts';
import type { KubeObject } from '../objects.ts';
import { tunnelOf } from '../../site/tunnel-settings.ts';
import type { CallOptions, CreateSiteRequest, Progress, SiteInCluster, WayIn } from '../types.ts';
import { loadRuntime } from './bundles.ts';
import { deleteIngress, linksIngress } from './ingress.ts';
import { type LiveSite, readLiveSite } from './live-site.ts';
import { rights } from './rights.ts';
import { READY_TIMEOUT_MS, rollOut } from './roll-out.ts';
import { linksService, typeAndPorts } from './router.ts';
import { deploymentOf, nameOfSite } from './router-of.ts';
import { siteConfig } from './site-config.ts';

/**
 * What a site is beside its namespace and what runs in it, in the order in which it is applied. The ConfigMap has others told of an Ingress: it
 * comes after one that is made, and before one that goes, so that what is refused or cancelled half-way leaves no false way in.
 */
export function siteObjects(request: CreateSiteRequest, live?: LiveSite): KubeObject[] {
  const { namespace, wayIn, ingress } = request;
  const config = siteConfig(nameOfSite(request, live), request, live);
  const service = wayIn === 'none' ? [] : [linksService(wayIn)];
  return [...rights(namespace), ...(wayIn === 'Ingress' ? [linksIngress(ingress!), ...service, config] : [config, ...service])];
}

export async function createSiteWith(
  client: ClusterClient,
  request: CreateSiteRequest,
  progress: Progress = () => undefined,
  { signal, timeoutMs = READY_TIMEOUT_MS }: CallOptions = {},
): Promise<SiteInCluster> {
  const { namespace, wayIn } = request;
  checkName(request.name ?? namespace);
  checkIngress(request);
  const deadline = Date.now() + timeoutMs;
  const runtime = await loadRuntime(request.bundles);
  await ensureNamespace(client, request, progress, signal);
  const live = await readLiveSite(client, namespace, { signal });
  const deployment = await deploymentOf(client, request, { runtime, live, signal });
  for (const object of siteObjects(request, live)) {
    progress(`Making the ${object.kind} ${object.metadata.name}`);
    if (object.kind === 'Service' && wayIn !== 'none' && hasService(live))
      await client.patch('Service', namespace, LINKS_SERVICE, serviceChange(wayIn, live), { signal });
    else await client.apply(namespace, object, { signal });
  }
  if (wayIn === 'none') await client.delete('Service', namespace, LINKS_SERVICE, { signal });
  if (wayIn !== 'Ingress') await deleteIngress(client, namespace, progress, signal);
  await rollOut({ client, namespace, deployment, runtime, before: live?.deployment, deadline, progress, signal });
  return { namespace, name: nameOfSite(request, live), version: runtime.version, ready: true, wayIn };
}

function hasService(live: LiveSite | undefined): live is LiveSite {
  return live !== undefined && live.wayIn !== 'none';
}

/** Its ports and annotations are its owner's, but for the port of an Ingress. */
function serviceChange(wayIn: Exclude<WayIn, 'none'>, live: LiveSite): object {
  const { type, ports } = typeAndPorts(wayIn, live.links?.spec?.ports ?? []);
  const isAbout = [wayIn, live.wayIn].includes('Ingress');
  return { spec: { type, ...(isAbout && { ports }) } };
}

function checkName(name: string): void {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name))
    throw new CaravanError('bad-request', `A site cannot be called "${name}": use lower case letters, digits, "-" and "." only.`);
}

function checkIngress({ wayIn, ingress }: CreateSiteRequest): void {
  if (wayIn !== 'Ingress' || typeof tunnelOf({ tunnel: ingress?.url ?? '' }) === 'object') return;
  throw new CaravanError('bad-request', 'An Ingress needs the URL at which it is reached, such as https://shop.example.com.');
}

async function ensureNamespace(
  client: ClusterClient,
  request: CreateSiteRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, createNamespace } = request;
  try {
    if (await client.read('Namespace', namespace, namespace, { signal })) return;
  } catch (error) {
    // Who may work in a namespace may often not read the namespace itself.
    if (!isStatus(error, 403)) throw error;
    if (!createNamespace) return;
  }
  if (!createNamespace)
    throw new CaravanError(
      'not-found',
      `There is no namespace ${namespace} (${client.where}): make it first, or let Caravan make it.`,
    );
  progress(`Making the namespace ${namespace}`);
  const metadata = { name: namespace, labels: OWN_LABELS, annotations: { [MADE_NAMESPACE_ANNOTATION]: 'true' } };
  try {
    await client.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata }, { signal });
  } catch (error) {
    // Who may not make it may still work in it; where it is not there, what is applied next says so.
    if (!isAlreadyThere(error) && !isStatus(error, 403)) throw error;
  }
}
