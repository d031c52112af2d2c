/** Who the router's pod is, and the little it may do: in its own namespace only. */
import { CARAVAN, OWN_LABELS } from '../names.ts';
import type { KubeObject } from '../objects.ts';

const metadata = { name: CARAVAN, labels: OWN_LABELS };
const SEE = ['get', 'list', 'watch'];

export function rights(namespace: string): KubeObject[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        // What annotations expose, the pods behind it, and resources in ConfigMaps.
        { apiGroups: [''], resources: ['pods', 'configmaps'], verbs: SEE },
        { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'], verbs: SEE },
        // Proxy Services.
        { apiGroups: [''], resources: ['services'], verbs: [...SEE, 'create', 'patch', 'delete'] },
        // What is wrong with an object, where `kubectl describe` shows it.
        { apiGroups: [''], resources: ['events'], verbs: ['create'] },
        // What the site remembers, and keys that resources name: RBAC can limit neither `list` nor `create` to names.
        { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'create', 'update', 'delete'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: CARAVAN },
      subjects: [{ kind: 'ServiceAccount', name: CARAVAN, namespace }],
    },
  ];
}
