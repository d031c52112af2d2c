/**
 * The one way into everything that needs the Kubernetes client. Load it with `await import(…)`: it becomes a bundle of its own.
 * `Kubernetes` in types.ts says what each function does.
 */
import type { Duplex } from 'node:stream';
import { ApiClient } from '../api/client.ts';
import type { Log } from '../log.ts';
import type { NetworkView } from '../site/network-view.ts';
import type { ResourceSource } from '../site/source.ts';
import type { SiteStore } from '../site/store.ts';
import { clientFor, inClusterClient } from './clients.ts';
import { NamespaceSource } from './controller/source.ts';
import { findSitesWith, watchSitesWith } from './find-sites.ts';
import { createSiteWith } from './install/create-site.ts';
import { deleteSiteWith } from './install/delete-site.ts';
import { upgradeSiteWith } from './install/upgrade-site.ts';
import { configFor, readKubeconfig } from './kubeconfig.ts';
import { ROUTER_SELECTOR } from './names.ts';
import { openPortForward } from './port-forward.ts';
import { API_PORT, LINKS_PORT } from './ports.ts';
import { podEnvironmentWith } from './pod-environment.ts';
import { podMakersWith } from './pod-makers.ts';
import { readyPod } from './router-pod.ts';
import { siteLogWith } from './site-log.ts';
import { secretStore } from './store.ts';
import type {
  CallOptions,
  ContextRef,
  CreateSiteRequest,
  Kubernetes,
  NamespaceRef,
  PodEnvironment,
  PodEnvironmentRequest,
  PodMaker,
  Progress,
  SiteInCluster,
  SitesInContext,
  UpgradeSiteRequest,
  WorkloadRef,
} from './types.ts';

export { readKubeconfig };

export async function findSites(ref: ContextRef, options?: CallOptions): Promise<SitesInContext> {
  return findSitesWith(await clientFor(ref), await ownNamespace(ref), options);
}

export function watchSites(ref: ContextRef, changed: () => void, signal: AbortSignal): void {
  const start = async () => watchSitesWith(await clientFor(ref), await ownNamespace(ref), changed, signal);
  // A kubeconfig that cannot be read is told by whoever reads it; when its files change, the caller watches anew.
  start().catch(() => undefined);
}

export async function createSite(request: CreateSiteRequest, progress?: Progress, options?: CallOptions): Promise<SiteInCluster> {
  return createSiteWith(await clientFor(request), request, progress, options);
}

export async function upgradeSite(
  request: UpgradeSiteRequest,
  progress?: Progress,
  options?: CallOptions,
): Promise<SiteInCluster> {
  return upgradeSiteWith(await clientFor(request), request, progress, options);
}

/** How long a site that is deleted may take to say farewell; one that cannot is deleted all the same. Milliseconds. */
const FAREWELL_MS = 3000;

export async function deleteSite(ref: NamespaceRef, progress?: Progress, options?: CallOptions): Promise<string | undefined> {
  progress?.('Telling the network');
  const api = new ApiClient((signal) => connectToSite(ref, 'api', signal ? { signal } : {}));
  await api.leave(AbortSignal.timeout(FAREWELL_MS)).catch(() => undefined);
  return deleteSiteWith(await clientFor(ref), ref.namespace, progress, options);
}

export async function connectToSite(ref: NamespaceRef, port: 'api' | 'links', options?: CallOptions): Promise<Duplex> {
  const client = await clientFor(ref);
  const pod = await readyPod(client, ref.namespace, ROUTER_SELECTOR, options);
  return openPortForward(client, { namespace: ref.namespace, pod, port: port === 'api' ? API_PORT : LINKS_PORT }, options);
}

export async function siteLog(ref: NamespaceRef, options?: CallOptions): Promise<string> {
  return siteLogWith(await clientFor(ref), ref.namespace, options);
}

export async function podMakers(ref: NamespaceRef, options?: CallOptions): Promise<PodMaker[]> {
  return podMakersWith(await clientFor(ref), ref.namespace, options);
}

export async function podEnvironment(request: PodEnvironmentRequest, options?: CallOptions): Promise<PodEnvironment> {
  return podEnvironmentWith(await clientFor(request), request, options);
}

export async function readAnnotations(ref: WorkloadRef, options?: CallOptions): Promise<Record<string, string> | undefined> {
  const found = await (await clientFor(ref)).read(ref.kind, ref.namespace, ref.name, options);
  return found && { ...found.metadata?.annotations };
}

export async function annotate(
  ref: WorkloadRef,
  annotations: Record<string, string | null>,
  options?: CallOptions,
): Promise<void> {
  await (await clientFor(ref)).patch(ref.kind, ref.namespace, ref.name, { metadata: { annotations } }, options);
}

export interface InClusterOptions {
  namespace: string;
  /** The node's address, where NodePorts are reached. */
  hostIp?: string;
  log: Log;
}

export interface InCluster {
  store: SiteStore;
  /** What the namespace wishes; also keeps its proxy Services as `view` needs them. Each call makes another: one is enough. */
  source(view: NetworkView): ResourceSource;
}

/** What a site needs that runs in a pod of its own namespace. Makes no call yet. */
export function inCluster({ namespace, hostIp, log }: InClusterOptions): InCluster {
  const client = inClusterClient();
  return {
    store: secretStore(client, namespace),
    source: (view) => new NamespaceSource({ client, namespace, ...(hostIp && { hostIp }), view, log }),
  };
}

async function ownNamespace(ref: ContextRef): Promise<string> {
  return (await configFor(ref)).contexts[0]?.namespace ?? 'default';
}

/** Fails to compile where this module and its contract differ. */
const contract: Kubernetes = {
  readKubeconfig,
  findSites,
  watchSites,
  createSite,
  upgradeSite,
  deleteSite,
  connectToSite,
  siteLog,
  podMakers,
  podEnvironment,
  readAnnotations,
  annotate,
};
void contract;
