import { CaravanError, sentence } from '../../runtime/errors.ts';
import type { Kubernetes, WorkloadRef } from '../../runtime/kubernetes/types.ts';
import { CONTEXT_TIMEOUT_MS, type ContextView } from '../clusters/clusters.ts';
import { Cancelled } from '../like.ts';
import type { Workload } from './workloads.ts';

export interface LiveObject {
  ref: WorkloadRef;
  annotations: Record<string, string>;
}

/** Where an object of a manifest may live: in the namespace that it names, else in those that hold a site, and the context's own. */
export function placesOf(
  workload: Pick<Workload, 'kind' | 'name' | 'namespace'>,
  contexts: readonly ContextView[],
  kubeconfig?: string,
): WorkloadRef[] {
  const { kind, name, namespace: named } = workload;
  return contexts
    .filter(({ state }) => state !== 'silent')
    .flatMap(({ info, found }) => {
      const namespaces = named
        ? [named]
        : [...new Set([...(found?.sites ?? []).map(({ namespace }) => namespace), info.namespace])];
      return namespaces.map((namespace) => ({ kubeconfig, context: info.name, namespace, kind, name }));
    });
}

/** Those of the places where the object is. A cluster that does not answer holds up no other, and counts as one without it. */
export async function findLive(
  places: readonly WorkloadRef[],
  kubernetes: Kubernetes,
  signal: AbortSignal,
): Promise<LiveObject[]> {
  const found = await Promise.all(
    places.map(async (ref): Promise<LiveObject[]> => {
      try {
        const annotations = await kubernetes.readAnnotations(ref, { signal, timeoutMs: CONTEXT_TIMEOUT_MS });
        return annotations ? [{ ref, annotations }] : [];
      } catch {
        signal.throwIfAborted();
        return [];
      }
    }),
  );
  return found.flat();
}

/** `context/namespace` */
export function placeOf({ context, namespace }: WorkloadRef): string {
  return `${context}/${namespace}`;
}

/** Does the work at each place, one after the other: one that fails keeps none of the others from it. Cancelling ends it. */
export async function atEach(
  places: readonly WorkloadRef[],
  work: (ref: WorkloadRef) => Promise<void>,
): Promise<{ done: string[]; failed: { place: string; error: unknown }[] }> {
  const done: string[] = [];
  const failed: { place: string; error: unknown }[] = [];
  for (const ref of places)
    try {
      await work(ref);
      done.push(placeOf(ref));
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      failed.push({ place: placeOf(ref), error });
    }
  return { done, failed };
}

/** One error for all places that failed: `backend is still exposed in west/shop (You may not …), east/shop (…).` */
export function failedAt(what: string, failed: readonly { place: string; error: unknown }[]): CaravanError {
  const places = failed.map(({ place, error }) => `${place} (${sentence(error).replace(/\.$/, '')})`);
  const known = failed.map(({ error }) => error).find((error) => error instanceof CaravanError);
  return new CaravanError(known?.code ?? 'unreachable', `${what} ${places.join(', ')}.`, { cause: failed[0]?.error });
}
