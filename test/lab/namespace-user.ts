import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { type KubeconfigCluster, writeKubeconfig } from './kubeconfig.ts';

/**
 * Makes somebody who may do in one namespace what the built-in role `admin` allows, and nothing anywhere else.
 *
 * @returns The path of their kubeconfig file: one context, with the cluster's own context's name, in that namespace.
 */
export async function namespaceUser(cluster: Cluster, namespace: string): Promise<string> {
  const name = 'namespace-user';
  await cluster.apply(
    `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin }
subjects: [{ kind: ServiceAccount, name: ${name}, namespace: ${namespace} }]
`,
    namespace,
  );
  const token = (await cluster.run('create', 'token', name, '-n', namespace, '--duration=24h')).trim();
  const config: { clusters: [{ cluster: KubeconfigCluster }] } = JSON.parse(
    await cluster.run('config', 'view', '--raw', '--flatten', '--minify', '-o', 'json'),
  );
  const path = join(cluster.scratch, `${cluster.name}-${namespace}.kubeconfig`);
  await writeKubeconfig(path, [{ context: cluster.context, cluster: config.clusters[0].cluster, user: { token }, namespace }]);
  return path;
}
