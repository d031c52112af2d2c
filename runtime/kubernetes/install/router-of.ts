/** The router's Deployment as a request and the site that is there ask for it. */
import { isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { SITE_ANNOTATION } from '../names.ts';
import type { CreateSiteRequest, UpgradeSiteRequest } from '../types.ts';
import type { Runtime } from './bundles.ts';
import { keptOf, type LiveSite } from './live-site.ts';
import { type RouterDeployment, routerDeployment } from './router.ts';

interface Around {
  runtime: Pick<Runtime, 'version' | 'digest'>;
  live: LiveSite | undefined;
  signal?: AbortSignal | undefined;
}

export async function deploymentOf(
  client: ClusterClient,
  request: UpgradeSiteRequest,
  { runtime, live, signal }: Around,
): Promise<RouterDeployment> {
  const { image, podTemplate } = request;
  const kept = live && keptOf(live.deployment);
  return routerDeployment({
    siteName: nameOfSite(request, live),
    runtime,
    isOpenShift: await isOpenShift(client, signal),
    ...kept,
    image: image ?? kept?.image,
    podTemplate: podTemplate ?? kept?.podTemplate,
  });
}

/** A site that is there keeps its name: others know it by that. */
export function nameOfSite({ namespace, name }: Pick<CreateSiteRequest, 'namespace' | 'name'>, live?: LiveSite): string {
  return live?.deployment.metadata?.annotations?.[SITE_ANNOTATION] ?? name ?? namespace;
}

/** Whether security context constraints say what a pod may be, and fill in its user. */
async function isOpenShift(client: ClusterClient, signal?: AbortSignal): Promise<boolean> {
  try {
    return (await client.get('/apis/security.openshift.io', { signal })) !== undefined;
  } catch (error) {
    // Everybody may look, unless somebody took that away.
    if (isStatus(error, 403)) return false;
    throw error;
  }
}
