import type { V1DaemonSet, V1Deployment, V1Pod, V1Service, V1StatefulSet } from '@kubernetes/client-node';

export type Workload =
  | { kind: 'Deployment'; object: V1Deployment }
  | { kind: 'StatefulSet'; object: V1StatefulSet }
  | { kind: 'DaemonSet'; object: V1DaemonSet };

/** The namespace as it stands: what the plan is made from. */
export interface Snapshot {
  services: V1Service[];
  workloads: Workload[];
  pods: V1Pod[];
}
