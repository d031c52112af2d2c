import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { command } from './command.ts';

/**
 * Clusters of the user's, by contexts of their kubeconfig. With one context, both are the same cluster.
 *
 * @param scratch A folder for a copy of the kubeconfig: specs must not change the user's, and file names in it may be relative to it.
 */
export async function userClusters(contexts: string[], scratch: string): Promise<[west: Cluster, east: Cluster]> {
  const kubeconfigPath = join(scratch, 'kubeconfig');
  await writeFile(kubeconfigPath, await command('kubectl', ['config', 'view', '--raw', '--flatten']), { mode: 0o600 });
  const [first = '', second = first] = contexts;
  const common = { kubeconfigPath, kubectl: ['kubectl'], scratch, cache: join(scratch, 'cache') };
  return Promise.all([
    userCluster({ ...common, name: 'west', context: first }),
    userCluster({ ...common, name: 'east', context: second }),
  ]);
}

async function userCluster(options: Omit<ClusterOptions, 'nodeAddress'>): Promise<Cluster> {
  const nodeAddress = await findNodeAddress(new Cluster({ ...options, nodeAddress: '' }));
  return new Cluster({ ...options, nodeAddress });
}

/** The address of some node that is most likely to be reached from here. */
async function findNodeAddress(cluster: Cluster): Promise<string> {
  const nodes: { items: { status: { addresses: { type: string; address: string }[] } }[] } = JSON.parse(
    await cluster.run('get', 'nodes', '-o', 'json'),
  );
  const addresses = nodes.items.flatMap(({ status }) => status.addresses);
  const best = addresses.find(({ type }) => type === 'ExternalIP') ?? addresses.find(({ type }) => type === 'InternalIP');
  return best?.address ?? '';
}
