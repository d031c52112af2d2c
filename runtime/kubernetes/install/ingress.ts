import { isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { COMPONENT, LINKS_INGRESS, LINKS_SERVICE, OWN_LABELS, TUNNELS } from '../names.ts';
import { hasLabels, type KubeObject } from '../objects.ts';
import type { IngressWish, Progress } from '../types.ts';

/** Leads from a host name to the router's port for tunnels. Its TLS section, and annotations for its controller, are its owner's. */
export function linksIngress({ url, className }: IngressWish): KubeObject {
  const { hostname, pathname } = new URL(url);
  const backend = { service: { name: LINKS_SERVICE, port: { name: TUNNELS } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: LINKS_INGRESS, labels: { ...OWN_LABELS, [COMPONENT]: 'links' } },
    spec: {
      ...(className && { ingressClassName: className }),
      rules: [{ host: hostname, http: { paths: [{ path: pathname, pathType: 'Prefix', backend }] } }],
    },
  };
}

/** Looked for whatever the way in is, since making it one may have ended half-way; one that Caravan did not make stays. */
export async function deleteIngress(
  client: ClusterClient,
  namespace: string,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const found = await client.read('Ingress', namespace, LINKS_INGRESS, { signal });
    if (!found || !hasLabels(found, OWN_LABELS)) return;
    progress(`Deleting the Ingress ${LINKS_INGRESS}`);
    await client.delete('Ingress', namespace, LINKS_INGRESS, { signal });
  } catch (error) {
    // Who may do nothing with Ingresses may still delete a site, or give it another way in.
    if (!isStatus(error, 403)) throw error;
  }
}
