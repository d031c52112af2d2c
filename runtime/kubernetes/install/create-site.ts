/** Applies all that a site is, then waits until its router runs. Applying again upgrades. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError, sentence } from '../../errors.ts';
import { isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { CARAVAN, LINKS_SERVICE, MADE_NAMESPACE_ANNOTATION, OWN_LABELS, ROUTER_SELECTOR } from '../names.ts';
import type { KubeObject } from '../objects.ts';
import type { CallOptions, CreateSiteRequest, Progress, SiteInCluster } from '../types.ts';
import { loadRuntime, type Runtime } from './bundles.ts';
import { readinessOf, tellingLine } from './readiness.ts';
import { rights } from './rights.ts';
import { DEFAULT_IMAGE, linksService, routerDeployment, runtimeConfig } from './router.ts';
import { siteConfig } from './site-config.ts';

/** How long the router may take to become ready. Milliseconds. */
export const READY_TIMEOUT_MS = 120_000;
/** A state that does not mend itself (an image that cannot be pulled) is believed after this long. Milliseconds. */
export const STUCK_MS = 15_000;
const POLL_MS = 500;

/** Everything of a site but its namespace, in the order in which it is applied. */
export function siteObjects(request: CreateSiteRequest, runtime: Runtime): KubeObject[] {
  const { namespace, wayIn } = request;
  const siteName = request.name ?? namespace;
  return [
    ...rights(namespace),
    runtimeConfig(runtime),
    siteConfig(siteName, wayIn),
    ...(wayIn === 'none' ? [] : [linksService(wayIn)]),
    routerDeployment({ siteName, image: request.image ?? DEFAULT_IMAGE, runtime }),
  ];
}

export async function createSiteWith(
  client: ClusterClient,
  request: CreateSiteRequest,
  progress: Progress = () => undefined,
  options: CallOptions = {},
): Promise<SiteInCluster> {
  const { namespace, wayIn } = request;
  const { signal, timeoutMs = READY_TIMEOUT_MS } = options;
  checkName(request.name ?? namespace);
  const deadline = Date.now() + timeoutMs;
  const runtime = await loadRuntime(request.bundles);
  await ensureNamespace(client, request, progress, signal);
  for (const object of siteObjects(request, runtime)) {
    progress(`Making the ${object.kind} ${object.metadata.name}`);
    await client.apply(namespace, object, { signal });
  }
  if (wayIn === 'none') await client.delete('Service', namespace, LINKS_SERVICE, { signal });
  await untilReady(client, namespace, deadline, progress, signal);
  return { namespace, name: request.name ?? namespace, version: runtime.version, ready: true, wayIn };
}

function checkName(name: string): void {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name))
    throw new CaravanError('bad-request', `A site cannot be called "${name}": use lower case letters, digits, "-" and "." only.`);
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
    if (!isStatus(error, 409)) throw error;
  }
}

async function untilReady(
  client: ClusterClient,
  namespace: string,
  deadline: number,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  progress("Waiting for the router's pod");
  let last: string | undefined;
  let stuckSince: number | undefined;
  for (;;) {
    const [deployment, pods] = await Promise.all([
      client.read('Deployment', namespace, CARAVAN, { signal }),
      client.list('Pod', namespace, { labelSelector: ROUTER_SELECTOR, signal }),
    ]);
    if (!deployment) throw new CaravanError('not-found', `The site in ${namespace} (${client.where}) was deleted meanwhile.`);
    const { ready, message, stuck, crashing } = readinessOf(deployment, pods.items);
    if (ready) return;
    if (message && message !== last) progress(message);
    last = message;
    stuckSince = stuck ? (stuckSince ?? Date.now()) : undefined;
    const isStuck = stuckSince !== undefined && Date.now() - stuckSince >= STUCK_MS;
    if (isStuck || Date.now() > deadline) {
      const said = crashing ? await lastWords(client, namespace, crashing, signal) : '';
      throw new CaravanError(isStuck ? 'not-running' : 'timeout', `${message ?? 'The router is not ready.'}${said}`);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function lastWords(client: ClusterClient, namespace: string, pod: string, signal?: AbortSignal): Promise<string> {
  try {
    const line = tellingLine(await client.log(namespace, pod, true, { signal }));
    return line ? ` It said: ${line}` : '';
  } catch (error) {
    return ` Its log cannot be read: ${sentence(error)}`;
  }
}
