/** Brings the router's Deployment to another state, waits until it is ready, and brings back what ran before where it does not get ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Deployment, V1ObjectMeta } from '@kubernetes/client-node';
import { CaravanError, sentence } from '../../errors.ts';
import { isAlreadyThere } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { CARAVAN, OWN_SELECTOR, ROUTER_SELECTOR, RUNTIME_CONFIG } from '../names.ts';
import { pathOf } from '../objects.ts';
import type { Progress } from '../types.ts';
import type { Runtime } from './bundles.ts';
import { versionOf } from './live-site.ts';
import { readinessOf, tellingLine, type Telling } from './readiness.ts';
import { type RouterDeployment, runtimeConfig, runtimeName } from './router.ts';

/** How long the router may take to become ready. Milliseconds. */
export const READY_TIMEOUT_MS = 120_000;
/** A state that does not mend itself (an image that cannot be pulled) is believed after this long. Milliseconds. */
export const STUCK_MS = 15_000;
const POLL_MS = 500;

export interface RollOut {
  client: ClusterClient;
  namespace: string;
  deployment: RouterDeployment;
  runtime: Runtime;
  /** What is there now. */
  before: V1Deployment | undefined;
  deadline: number;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/**
 * Rejects with why the router is not ready; what ran before then runs again, also where the signal ended it. A Deployment that the cluster
 * refuses changes nothing.
 */
export async function rollOut(todo: RollOut): Promise<void> {
  const { client, namespace, deployment, before, progress, signal } = todo;
  await makeRuntime(todo);
  progress(`Making the Deployment ${CARAVAN}`);
  await client.apply(namespace, deployment, { signal });
  try {
    await untilReady(todo);
  } catch (error) {
    // A router that did not run is no better than one that does not.
    throw before?.status?.readyReplicas ? await bringBack(todo, before, error) : error;
  }
  // What is left over does no harm, and goes with the next one.
  await removeOlderRuntimes(todo).catch(() => undefined);
}

/** Made once: it cannot be changed, and what another Node compresses differs in its bytes. */
async function makeRuntime({ client, namespace, runtime, progress, signal }: RollOut): Promise<void> {
  const config = runtimeConfig(runtime);
  progress(`Making the ConfigMap ${config.metadata.name}`);
  try {
    await client.create(namespace, config, { signal });
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  }
}

async function untilReady({ client, namespace, deadline, progress, signal }: RollOut): Promise<void> {
  progress("Waiting for the router's pod");
  let last: string | undefined;
  let stuckSince: number | undefined;
  for (;;) {
    const [deployment, pods] = await Promise.all([
      client.read('Deployment', namespace, CARAVAN, { signal }),
      client.list('Pod', namespace, { labelSelector: ROUTER_SELECTOR, signal }),
    ]);
    if (!deployment) throw new CaravanError('not-found', `The site in ${namespace} (${client.where}) was deleted meanwhile.`);
    const { ready, message, stuck, telling } = readinessOf(deployment, pods.items);
    if (ready) return;
    if (message && message !== last) progress(message);
    last = message;
    stuckSince = stuck ? (stuckSince ?? Date.now()) : undefined;
    const isStuck = stuckSince !== undefined && Date.now() - stuckSince >= STUCK_MS;
    if (isStuck || Date.now() > deadline) {
      const said = telling ? await lastWords(client, namespace, telling, signal) : '';
      throw new CaravanError(isStuck ? 'not-running' : 'timeout', `${message ?? 'The router is not ready.'}${said}`);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function lastWords(
  client: ClusterClient,
  namespace: string,
  { pod, previous }: Telling,
  signal?: AbortSignal,
): Promise<string> {
  try {
    const line = tellingLine(await client.log(namespace, pod, previous, { signal }));
    return line ? ` It said: ${line}` : '';
  } catch (error) {
    return ` Its log cannot be read: ${sentence(error)}`;
  }
}

/** Resolves to what is to be told. Not under the signal: whoever cancels wants what was. */
async function bringBack({ client, namespace, progress }: RollOut, before: V1Deployment, error: unknown): Promise<unknown> {
  const version = versionOf(before);
  progress(`Bringing back v${version}`);
  // Whatever became of it meanwhile: without its version it is written over.
  const { resourceVersion: _, ...metadata } = before.metadata as RouterDeployment['metadata'];
  const back = { apiVersion: 'apps/v1', kind: 'Deployment' as const, metadata, spec: before.spec! };
  const { managedFields } = metadata;
  const outcome = await client.replace(namespace, back).then(
    async () => {
      // What is written back counts as somebody's change from then on, and applying takes away only what was applied.
      await client.patch('Deployment', namespace, CARAVAN, { metadata: { managedFields } }).catch(() => undefined);
      return `The site goes on with v${version}.`;
    },
    (cause: unknown) => `What ran before could not be brought back: ${sentence(cause)}`,
  );
  return error instanceof CaravanError ? new CaravanError(error.code, `${error.message} ${outcome}`, { cause: error }) : error;
}

/** Keeps the one that runs, and the one that `rollout undo` would need. */
async function removeOlderRuntimes({ client, namespace, runtime, before, signal }: RollOut): Promise<void> {
  const query = { labelSelector: OWN_SELECTOR };
  const { items } = await client.listMetadata(pathOf('ConfigMap', namespace), query, { signal });
  const age = ({ creationTimestamp }: V1ObjectMeta) => Date.parse(String(creationTimestamp ?? 0));
  const runs = runtimeName(runtime);
  const others = items
    .sort((a, b) => age(b) - age(a))
    .map(({ name = '' }) => name)
    .filter((name) => name !== runs && new RegExp(`^${RUNTIME_CONFIG}(-[0-9a-f]+)?$`).test(name));
  const volumes = before?.spec?.template.spec?.volumes ?? [];
  const ranBefore = volumes.find(({ configMap }) => configMap && others.includes(configMap.name ?? ''))?.configMap?.name;
  const last = ranBefore ?? others[0];
  for (const name of others) if (name !== last) await client.delete('ConfigMap', namespace, name, { signal });
}
