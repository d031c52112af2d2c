import type { Duplex } from 'node:stream';
import type { PortForward } from '../api/types.ts';
import { loadKubernetes } from './load-kubernetes.ts';

/** Dials a site's links through the Kubernetes API server. */
export async function dialPortForward({ kubeconfig, context, namespace }: PortForward, signal?: AbortSignal): Promise<Duplex> {
  const { connectToSite } = await loadKubernetes();
  return connectToSite({ kubeconfig, context, namespace }, 'links', { ...(signal && { signal }) });
}
