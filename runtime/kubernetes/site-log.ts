import type { ClusterClient } from './client.ts';
import { ROUTER_SELECTOR } from './names.ts';
import { nameOf } from './objects.ts';
import { youngest } from './router-pod.ts';
import type { CallOptions } from './types.ts';

/** More than this many lines nobody reads. */
const LINES = 2000;

/** `Kubernetes.siteLog`. */
export async function siteLogWith(client: ClusterClient, namespace: string, options?: CallOptions): Promise<string> {
  const pod = nameOf(await youngest(client, namespace, ROUTER_SELECTOR, options));
  const now = await client.log(namespace, pod, false, options, LINES);
  if (now !== '') return now;
  // A container that is being started again has said nothing yet. There may be no run before.
  return client.log(namespace, pod, true, options, LINES).catch(() => '');
}
