/** One client a context, kept while its kubeconfig files stay as they are: so tokens and connections are used again. */
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { CaravanError } from '../errors.ts';
import { ClusterClient } from './client.ts';
import { configFor, kubeconfigPaths, kubeconfigStamp } from './kubeconfig.ts';
import type { ContextRef } from './types.ts';

const clients = new Map<string, { stamp: string; client: ClusterClient }>();

export async function clientFor(ref: ContextRef): Promise<ClusterClient> {
  const key = JSON.stringify([ref.context, ...kubeconfigPaths(ref.kubeconfig)]);
  const stamp = await kubeconfigStamp(ref.kubeconfig);
  const known = clients.get(key);
  if (known?.stamp === stamp) return known.client;
  const config = await configFor(ref);
  let first: KubeConfig | undefined = config;
  const client = new ClusterClient(async (renew) => {
    const given = renew ? undefined : first;
    first = undefined;
    return given ?? configFor(ref);
  }, `context ${ref.context}`);
  clients.set(key, { stamp, client });
  return client;
}

/** The cluster that this process runs in, by its pod's service account. */
export function inClusterClient(): ClusterClient {
  return new ClusterClient(async () => {
    if (!process.env['KUBERNETES_SERVICE_HOST'])
      throw new CaravanError('unreachable', 'This process does not run in a pod: KUBERNETES_SERVICE_HOST is not set.');
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  }, 'this cluster');
}
