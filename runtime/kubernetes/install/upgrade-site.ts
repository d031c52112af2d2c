/** Brings a site that is there to the runtime that this program brings along. Its wished state, its way in and its memory are not touched. */
import { CaravanError } from '../../errors.ts';
import type { ClusterClient } from '../client.ts';
import type { CallOptions, Progress, SiteInCluster, UpgradeSiteRequest } from '../types.ts';
import { loadRuntime } from './bundles.ts';
import { readLiveSite } from './live-site.ts';
import { rights } from './rights.ts';
import { READY_TIMEOUT_MS, rollOut } from './roll-out.ts';
import { deploymentOf, nameOfSite } from './router-of.ts';

export async function upgradeSiteWith(
  client: ClusterClient,
  request: UpgradeSiteRequest,
  progress: Progress = () => undefined,
  { signal, timeoutMs = READY_TIMEOUT_MS }: CallOptions = {},
): Promise<SiteInCluster> {
  const { namespace } = request;
  const deadline = Date.now() + timeoutMs;
  const runtime = await loadRuntime(request.bundles);
  const live = await readLiveSite(client, namespace, { signal });
  if (!live)
    throw new CaravanError('not-found', `The namespace ${namespace} (${client.where}) holds no site: create one there first.`);
  const deployment = await deploymentOf(client, request, { runtime, live, signal });
  for (const object of rights(namespace)) {
    progress(`Making the ${object.kind} ${object.metadata.name}`);
    await client.apply(namespace, object, { signal });
  }
  await rollOut({ client, namespace, deployment, runtime, before: live.deployment, deadline, progress, signal });
  return { namespace, name: nameOfSite(request, live), version: runtime.version, ready: true, wayIn: live.wayIn };
}
