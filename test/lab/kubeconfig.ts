import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

export interface KubeconfigCluster {
  server: string;
  'certificate-authority-data'?: string;
  [other: string]: unknown;
}

export interface KubeconfigUser {
  token?: string;
  [other: string]: unknown;
}

/** One context and what it refers to. */
export interface KubeconfigEntry {
  context: string;
  cluster: KubeconfigCluster;
  user: KubeconfigUser;
  namespace?: string;
}

/**
 * Writes a kubeconfig file that only its owner can read. The first entry's context is the current one; each context's cluster and
 * user have its name.
 */
export async function writeKubeconfig(path: string, entries: KubeconfigEntry[]): Promise<void> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: entries.map(({ context, cluster }) => ({ name: context, cluster })),
    users: entries.map(({ context, user }) => ({ name: context, user })),
    contexts: entries.map(({ context, namespace }) => ({
      name: context,
      context: { cluster: context, user: context, ...(namespace ? { namespace } : {}) },
    })),
    'current-context': entries[0]?.context,
  };
  await writeFile(path, stringify(config, { lineWidth: 0 }), { mode: 0o600 });
}
