/** What a namespace holds that is neither Caravan's nor put into every namespace: of every kind that the cluster has. */
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { CaravanError, sentence } from '../../errors.ts';
import type { ClusterClient } from '../client.ts';
import { OWN_LABELS } from '../names.ts';
import { hasLabels } from '../objects.ts';
import { counted } from '../../words.ts';

/** How long looking may take. Milliseconds. */
export const LOOK_TIMEOUT_MS = 30_000;
/** Kinds that are asked for at the same time. */
const AT_ONCE = 8;
/** Objects of one kind that are looked at; where there are more, they are somebody's. */
const MOST = 250;
/** Objects that are named. */
const NAMED = 3;

/** What Kubernetes, OpenShift, Istio and Linkerd put into every namespace. */
const EVERYWHERE = new Set([
  'ConfigMap kube-root-ca.crt',
  'ConfigMap openshift-service-ca.crt',
  'ConfigMap istio-ca-root-cert',
  'ConfigMap linkerd-identity-trust-roots',
  'Service kubernetes',
  'ServiceAccount default',
  'ServiceAccount builder',
  'ServiceAccount deployer',
  'RoleBinding system:deployers',
  'RoleBinding system:image-builders',
  'RoleBinding system:image-pullers',
]);
/** What tells of other objects, or shows what is elsewhere; nobody keeps anything in it. */
const SHADOWS = new Set(['Event', 'Endpoints', 'EndpointSlice', 'AppliedClusterResourceQuota']);
const SHADOW_GROUPS = new Set([
  'metrics.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
  'packages.operators.coreos.com',
]);
/** On a Secret that a cluster made for a ServiceAccount, which is looked at itself. */
const FOR_SERVICE_ACCOUNT = [
  'kubernetes.io/service-account.name',
  'openshift.io/internal-registry-auth-token.service-account',
  'openshift.io/internal-registry-auth-token.binding',
];
/** The operator lifecycle manager copies what it installs for all namespaces into each of them. */
const COPIED = 'olm.copiedFrom';

interface ApiGroup {
  name: string;
  preferredVersion: { groupVersion: string };
}
interface ApiResource {
  /** The plural; `pods/log` is a part of another one. */
  name: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
}
interface Resources {
  /** `/apis/batch/v1` */
  root: string;
  kind: string;
  plural: string;
}

/**
 * To follow `The namespace stays: `, undefined where it is empty. What cannot be looked at counts as somebody's: a namespace takes all of it
 * along. Rejects with the signal only.
 */
export async function othersWork(
  client: ClusterClient,
  namespace: string,
  signal?: AbortSignal,
  timeoutMs = LOOK_TIMEOUT_MS,
): Promise<string | undefined> {
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
  // OpenShift serves roles in two groups.
  const found = new Set<string>();
  try {
    const resources = await discover(client, limit);
    await forEach(resources, async (each) => {
      for (const name of await othersOf(client, namespace, each, limit)) found.add(name);
    });
  } catch (error) {
    signal?.throwIfAborted();
    const late = limit.aborted ? `that took longer than ${timeoutMs / 1000} s` : sentence(error).replace(/\.$/, '');
    return `whether anything else is in it could not be looked at: ${late}`;
  }
  const names = [...found].sort();
  if (names.length === 0) return undefined;
  const more = names.length > NAMED ? ` and ${counted(names.length - NAMED, 'other object')}` : '';
  return `it holds ${names.slice(0, NAMED).join(', ')}${more}`;
}

async function othersOf(
  client: ClusterClient,
  namespace: string,
  { root, kind, plural }: Resources,
  signal: AbortSignal,
): Promise<string[]> {
  const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  const { items, more } = await client.listMetadata(path, { limit: MOST }, { signal });
  const names = items.filter(isOthers).map(({ name }) => `${kind} ${name}`);
  return [...names.filter((name) => !EVERYWHERE.has(name)), ...(more ? [`more than ${MOST} of ${plural}`] : [])];
}

function isOthers(metadata: V1ObjectMeta): boolean {
  const { deletionTimestamp, ownerReferences = [], annotations = {}, labels = {} } = metadata;
  // What has an owner was made for it, and counts with it.
  if (deletionTimestamp || ownerReferences.length > 0 || hasLabels({ metadata }, OWN_LABELS)) return false;
  return !(COPIED in labels) && !FOR_SERVICE_ACCOUNT.some((name) => name in annotations);
}

/**
 * Every kind that has objects in namespaces, in the version that the cluster prefers.
 * Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#unaggregated-discovery
 */
async function discover(client: ClusterClient, signal: AbortSignal): Promise<Resources[]> {
  const { groups } = await read<{ groups: ApiGroup[] }>(client, '/apis', signal);
  const listed = groups.filter(({ name }) => !SHADOW_GROUPS.has(name));
  const roots = ['/api/v1', ...listed.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const found: Resources[] = [];
  await forEach(roots, async (root) => {
    const { resources } = await read<{ resources: ApiResource[] }>(client, root, signal);
    for (const { name, kind, namespaced, verbs } of resources)
      if (namespaced && verbs.includes('list') && !name.includes('/') && !SHADOWS.has(kind))
        found.push({ root, kind, plural: name });
  });
  return found;
}

async function read<T>(client: ClusterClient, path: string, signal: AbortSignal): Promise<T> {
  const found = await client.get(path, { signal });
  if (found === undefined) throw new CaravanError('not-found', `The API server of ${client.where} has no ${path}.`);
  return found as T;
}

/** Some at a time, from one iterator. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const next = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}
