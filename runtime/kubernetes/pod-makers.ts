import type { ClusterClient } from './client.ts';
import { OWN_LABELS } from './names.ts';
import { hasLabels, nameOf } from './objects.ts';
import type { CallOptions, PodMaker } from './types.ts';

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** What makes pods in a namespace and is not Caravan's own, by name. */
export async function podMakersWith(client: ClusterClient, namespace: string, options?: CallOptions): Promise<PodMaker[]> {
  const lists = await Promise.all(
    KINDS.map(async (kind) => {
      const { items } = await client.list(kind, namespace, options);
      return items.filter((item) => !hasLabels(item, OWN_LABELS)).map((item) => ({ kind, name: nameOf(item) }));
    }),
  );
  return lists.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}
