import * as vscode from 'vscode';
import { serviceEnvironment } from '../../runtime/api/environment.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { PodMaker } from '../../runtime/kubernetes/types.ts';
import type { Caravan } from '../caravan.ts';
import { confirm, pick, withProgress } from '../commands/ask.ts';
import { pickClusterSite } from '../commands/pick-site.ts';
import { isCancelled } from '../like.ts';
import type { ClusterRef } from '../sites/site-ref.ts';
import { type PodConfig, readWorkload } from './pod-config.ts';

const TITLE = 'Run as a Workload';

/** Workloads whose Secrets may be read until the window is closed. */
const allowed = new Set<string>();

/**
 * The variables of a workload's pods, and over them where the services of the network are on this computer. What could not be had is told, and
 * left out. Rejects where there is no such workload.
 */
export async function workloadEnvironment(caravan: Caravan, config: PodConfig): Promise<Record<string, string>> {
  if (!vscode.workspace.isTrusted)
    throw new CaravanError(
      'forbidden',
      'This folder is in Restricted Mode: nothing runs with the environment of a workload here.',
    );
  const ref = await placeOf(caravan, config);
  const maker = config.workload ? readWorkload(config.workload) : await pickWorkload(caravan, ref);
  const kubernetes = await caravan.kubernetes();
  const label = `${maker.kind} ${maker.name}`;
  const request = { ...ref, ...maker, ...(config.container !== undefined && { container: config.container }) };
  const read = (secrets: boolean) =>
    withProgress(`Caravan: reading the environment of ${label}`, (_, signal) =>
      caravan.operations.run(`read the environment of ${label}`, () =>
        kubernetes.podEnvironment({ ...request, secrets }, { signal }),
      ),
    );
  let found = await read(false);
  if (
    found.secrets.length > 0 &&
    (await mayReadSecrets(`${ref.context}/${ref.namespace}/${label}`, label, found.secrets, config))
  )
    found = await read(true);
  if (found.missing.length > 0)
    void vscode.window.showWarningMessage(`${label}: some of its environment is left out: ${found.missing.join('; ')}.`);
  const { status } = caravan.sites.laptop ?? {};
  return { ...found.variables, ...(status && serviceEnvironment(status)) };
}

async function placeOf(caravan: Caravan, { context, namespace }: PodConfig): Promise<ClusterRef> {
  if (context !== undefined && namespace !== undefined) return caravan.clusters.ref(context, namespace);
  if (context !== undefined || namespace !== undefined)
    throw new CaravanError('bad-request', '"context" and "namespace" go together: give both, or neither to be asked.');
  return pickClusterSite(caravan, TITLE);
}

async function pickWorkload(caravan: Caravan, ref: ClusterRef): Promise<PodMaker> {
  const kubernetes = await caravan.kubernetes();
  const makers = await withProgress(`Caravan: looking for the workloads of ${ref.context}/${ref.namespace}`, (_, signal) =>
    caravan.operations.run(`list the workloads of ${ref.context}/${ref.namespace}`, () => kubernetes.podMakers(ref, { signal })),
  );
  if (makers.length === 0) throw new CaravanError('not-found', `Nothing in ${ref.context}/${ref.namespace} makes pods.`);
  return pick(TITLE, makers.map((value) => ({ label: value.name, description: value.kind, value })), 'Whose environment?'); // prettier-ignore
}

async function mayReadSecrets(
  key: string,
  label: string,
  secrets: readonly string[],
  { secrets: wish }: PodConfig,
): Promise<boolean> {
  if (wish === 'never') return false;
  if (allowed.has(key)) return true;
  try {
    const detail = `${secrets.join('\n')}\n\nYour program gets them as environment variables. Without them, the rest of its environment is there.`;
    await confirm(`Read the Secrets of ${label}?`, detail, 'Read Them');
  } catch (error) {
    if (isCancelled(error)) return false;
    throw error;
  }
  allowed.add(key);
  return true;
}
