/** The kinds of object that Caravan reads and writes, their types, and where the API server keeps them. */
import type {
  CoreV1Event,
  V1ConfigMap,
  V1DaemonSet,
  V1Deployment,
  V1Ingress,
  V1Namespace,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
} from '@kubernetes/client-node';

export interface ByKind {
  ConfigMap: V1ConfigMap;
  DaemonSet: V1DaemonSet;
  Deployment: V1Deployment;
  Event: CoreV1Event;
  Ingress: V1Ingress;
  Namespace: V1Namespace;
  PersistentVolumeClaim: V1PersistentVolumeClaim;
  Pod: V1Pod;
  Role: V1Role;
  RoleBinding: V1RoleBinding;
  Secret: V1Secret;
  Service: V1Service;
  ServiceAccount: V1ServiceAccount;
  StatefulSet: V1StatefulSet;
}
export type Kind = keyof ByKind;
/** An object that can be applied: it says itself what it is. */
export type KubeObject = {
  [K in Kind]: ByKind[K] & { apiVersion: string; kind: K; metadata: V1ObjectMeta & { name: string } };
}[Kind];

const CORE = '/api/v1';
const APPS = '/apis/apps/v1';
const NETWORKING = '/apis/networking.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

const PLACES: Record<Kind, { root: string; plural: string }> = {
  ConfigMap: { root: CORE, plural: 'configmaps' },
  DaemonSet: { root: APPS, plural: 'daemonsets' },
  Deployment: { root: APPS, plural: 'deployments' },
  Event: { root: CORE, plural: 'events' },
  Ingress: { root: NETWORKING, plural: 'ingresses' },
  Namespace: { root: CORE, plural: 'namespaces' },
  PersistentVolumeClaim: { root: CORE, plural: 'persistentvolumeclaims' },
  Pod: { root: CORE, plural: 'pods' },
  Role: { root: RBAC, plural: 'roles' },
  RoleBinding: { root: RBAC, plural: 'rolebindings' },
  Secret: { root: CORE, plural: 'secrets' },
  Service: { root: CORE, plural: 'services' },
  ServiceAccount: { root: CORE, plural: 'serviceaccounts' },
  StatefulSet: { root: APPS, plural: 'statefulsets' },
};

/** The path of a kind, or of one object of it. Without a namespace: of the whole cluster. */
export function pathOf(kind: Kind, namespace?: string, name?: string): string {
  const { root, plural } = PLACES[kind];
  const inside = namespace === undefined || kind === 'Namespace' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${inside}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

export function nameOf(object: { metadata?: V1ObjectMeta }): string {
  return object.metadata?.name ?? '';
}

/** Whether labels fit a selector of `matchLabels`' form. An empty selector fits nothing, as for a Service. */
export function hasLabels(object: { metadata?: V1ObjectMeta }, wanted: Record<string, string>): boolean {
  const labels = object.metadata?.labels ?? {};
  const entries = Object.entries(wanted);
  return entries.length > 0 && entries.every(([key, value]) => labels[key] === value);
}
