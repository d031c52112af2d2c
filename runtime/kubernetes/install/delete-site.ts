/** Removes everything that Caravan made in a namespace, and the namespace where Caravan made it and nobody else uses it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError } from '../../errors.ts';
import { isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { giveBackServices } from '../controller/give-back.ts';
import { CARAVAN, MADE_NAMESPACE_ANNOTATION, OWN_SELECTOR, ROUTER_SELECTOR } from '../names.ts';
import { type Kind, nameOf } from '../objects.ts';
import type { CallOptions, Progress } from '../types.ts';
import { deleteIngress } from './ingress.ts';
import { othersWork } from './others-work.ts';

/** How long the router's pod may take to end, and a namespace to vanish. Milliseconds. */
export const GONE_TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/** After the Deployment and its pod: a controller that still ran would make its Services again. */
const KINDS: readonly Kind[] = ['Service', 'Secret', 'ConfigMap', 'RoleBinding', 'Role', 'ServiceAccount'];

/** Resolves to why the namespace stays, in one sentence, where Caravan made it. */
export async function deleteSiteWith(
  client: ClusterClient,
  namespace: string,
  progress: Progress = () => undefined,
  { signal, timeoutMs = GONE_TIMEOUT_MS }: CallOptions = {},
): Promise<string | undefined> {
  const deadline = Date.now() + timeoutMs;
  progress('Stopping the router');
  await client.delete('Deployment', namespace, CARAVAN, { signal });
  await until(async () => (await client.list('Pod', namespace, { labelSelector: ROUTER_SELECTOR, signal })).items.length === 0, {
    deadline,
    signal,
    otherwise: `The router's pod in ${namespace} (${client.where}) does not end. Look at its node, then delete the site again.`,
  });
  // A router that ends gives them back itself, unless it was killed.
  await giveBackServices(client, namespace, { signal, progress: (name) => progress(`Giving back the Service ${name}`) });
  await deleteIngress(client, namespace, progress, signal);
  for (const kind of KINDS) {
    const { items } = await client.list(kind, namespace, { labelSelector: OWN_SELECTOR, signal });
    for (const item of items) {
      progress(`Deleting the ${kind} ${nameOf(item)}`);
      await client.delete(kind, namespace, nameOf(item), { signal });
    }
  }
  return await deleteNamespace(client, namespace, progress, deadline, signal);
}

async function deleteNamespace(
  client: ClusterClient,
  namespace: string,
  progress: Progress,
  deadline: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!(await isOurs(client, namespace, signal))) return undefined;
  progress(`Looking what else is in the namespace ${namespace}`);
  const others = await othersWork(client, namespace, signal);
  if (others) return `The namespace ${namespace} stays: ${others}.`;
  progress(`Deleting the namespace ${namespace}`);
  await client.delete('Namespace', namespace, namespace, { signal });
  await until(async () => (await client.read('Namespace', namespace, namespace, { signal })) === undefined, {
    deadline,
    signal,
    otherwise: `The site is deleted, but the namespace ${namespace} (${client.where}) still ends.`,
  });
  return undefined;
}

async function isOurs(client: ClusterClient, namespace: string, signal?: AbortSignal): Promise<boolean> {
  try {
    const found = await client.read('Namespace', namespace, namespace, { signal });
    return found?.metadata?.annotations?.[MADE_NAMESPACE_ANNOTATION] === 'true' && !found.metadata.deletionTimestamp;
  } catch (error) {
    // Who may not read it did not make it.
    if (isStatus(error, 403)) return false;
    throw error;
  }
}

async function until(
  done: () => Promise<boolean>,
  limits: { deadline: number; signal?: AbortSignal | undefined; otherwise: string },
): Promise<void> {
  while (!(await done())) {
    if (Date.now() > limits.deadline) throw new CaravanError('timeout', limits.otherwise);
    await sleep(POLL_MS, undefined, { signal: limits.signal });
  }
}
