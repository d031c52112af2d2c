import type { V1Pod } from '@kubernetes/client-node';
import { CaravanError } from '../errors.ts';
import type { ClusterClient } from './client.ts';
import { nameOf } from './objects.ts';
import { isReady, noneReady, youngestFirst } from './pods.ts';
import type { CallOptions } from './types.ts';

/** A pod of the namespace that is ready, the youngest first: after an update the older one is about to go. */
export async function readyPod(
  client: ClusterClient,
  namespace: string,
  labelSelector: string,
  options?: CallOptions,
): Promise<string> {
  const items = await podsByAge(client, namespace, labelSelector, options);
  const best = items.find(isReady);
  if (best) return nameOf(best);
  throw new CaravanError(
    'unreachable',
    `The site in ${namespace} (${client.where}) is not ready: ${noneReady('its router', items)}.`,
  );
}

/** The pod of the namespace that was made last, ready or not. */
export async function youngest(
  client: ClusterClient,
  namespace: string,
  labelSelector: string,
  options?: CallOptions,
): Promise<V1Pod> {
  return (await podsByAge(client, namespace, labelSelector, options))[0]!;
}

/** The youngest first; at least one. */
async function podsByAge(
  client: ClusterClient,
  namespace: string,
  labelSelector: string,
  options?: CallOptions,
): Promise<V1Pod[]> {
  const { items } = await client.list('Pod', namespace, { ...options, labelSelector });
  if (items.length === 0)
    throw new CaravanError('not-found', `The namespace ${namespace} (${client.where}) holds no site: create one there first.`);
  return items.toSorted(youngestFirst);
}
