import { join } from 'node:path';
import { INSIDE, type Namespaces } from './namespaces.ts';
import { POD_SUBNET, SERVICE_SUBNET } from './node-files.ts';

/** A node on which components are started. */
export interface Host {
  name: string;
  address: string;
  namespaces: Namespaces;
  /** The path of the program that has all components in it. */
  kube: string;
}

const kubeconfig = `${INSIDE}/kubeconfig`;

/** Starts what comes first: the rest asks the API server. */
export function startControlPlane(host: Host): void {
  start(host, 'etcd', {
    'data-dir': `${INSIDE}/etcd`,
    'listen-client-urls': 'http://127.0.0.1:2379',
    'advertise-client-urls': 'http://127.0.0.1:2379',
    'listen-peer-urls': 'http://127.0.0.1:2380',
    'initial-advertise-peer-urls': 'http://127.0.0.1:2380',
    'initial-cluster': 'default=http://127.0.0.1:2380',
    'log-level': 'warn',
    'unsafe-no-fsync': true, // Nothing here has to survive the machine's crash.
  });
  start(host, 'kube-apiserver', {
    'etcd-servers': 'http://127.0.0.1:2379',
    'cert-dir': `${INSIDE}/certificates`, // It makes the certificate itself.
    'bind-address': '0.0.0.0',
    'advertise-address': host.address,
    'secure-port': 6443,
    'service-cluster-ip-range': SERVICE_SUBNET,
    'service-account-key-file': `${INSIDE}/service-accounts.key`,
    'service-account-signing-key-file': `${INSIDE}/service-accounts.key`,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'token-auth-file': `${INSIDE}/tokens.csv`,
    'authorization-mode': 'Node,RBAC',
    'allow-privileged': true,
    'kubelet-preferred-address-types': 'InternalIP',
    profiling: false,
  });
}

/** Starts what needs the API server's answers. */
export function startControllers(host: Host): void {
  start(host, 'coredns', { conf: `${INSIDE}/Corefile` });
  start(host, 'kube-controller-manager', {
    kubeconfig,
    'cluster-name': host.name,
    'flex-volume-plugin-dir': `${INSIDE}/volume-plugins`,
    'leader-elect': false,
    'use-service-account-credentials': false,
    'service-account-private-key-file': `${INSIDE}/service-accounts.key`,
    'root-ca-file': `${INSIDE}/certificates/apiserver.crt`,
  });
  start(host, 'kube-scheduler', { kubeconfig, 'leader-elect': false });
  start(host, 'kube-proxy', {
    kubeconfig,
    'hostname-override': host.name,
    'proxy-mode': 'iptables',
    'cluster-cidr': POD_SUBNET,
    'conntrack-max-per-core': 0, // That limit is the whole machine's.
  });
}

/** Starts what runs pods, once containerd has their images. */
export function startKubelet(host: Host): void {
  start(host, 'kubelet', {
    kubeconfig,
    config: `${INSIDE}/kubelet.json`,
    'root-dir': `${INSIDE}/kubelet`,
    'cert-dir': `${INSIDE}/certificates`,
    'hostname-override': host.name,
    'node-ip': host.address,
  });
}

/** @param pool Of addresses: a prefix such as `10.213.7`, the first last number and how many there are. */
export function startLoadBalancer(host: Host, pool: { prefix: string; first: number; count: number }): void {
  const program = join(import.meta.dirname, 'load-balancer.ts');
  const args = [kubeconfig, pool.prefix, String(pool.first), String(pool.count)];
  host.namespaces.start('load-balancer', [process.execPath, program, ...args]);
}

function start(host: Host, component: string, flags: Record<string, string | number | boolean>): void {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  host.namespaces.start(component, [host.kube, component, ...args]);
}
