import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { Api } from './api.ts';
import type { Parts } from './build.ts';
import { createCgroup } from './cgroups.ts';
import { type Host, startControllers, startControlPlane, startKubelet, startLoadBalancer } from './components.ts';
import { type KubeconfigEntry, writeKubeconfig } from './kubeconfig.ts';
import { INSIDE, Namespaces } from './namespaces.ts';
import type { Network } from './network.ts';
import { writeNodeFiles } from './node-files.ts';

export interface NodeOptions {
  /** Of the cluster, and of its one node. */
  name: string;
  /** 1 or 2: what its addresses are made from. */
  index: number;
  run: string;
  directory: string;
  network: Network;
  parts: Parts;
  attached: boolean;
  log: (line: string) => void;
}

/** A cluster that was started. */
export interface StartedNode {
  address: string;
  directory: string;
  /** Its administrator's. */
  kubeconfig: KubeconfigEntry;
}

/**
 * Starts a Kubernetes cluster of one node: etcd, the control plane, CoreDNS, containerd, kubelet and kube-proxy as processes of this
 * machine, in namespaces of their own. Comes back when the node is ready.
 */
export async function startNode(options: NodeOptions): Promise<StartedNode> {
  const { name, index, run, directory, network, parts, attached, log } = options;
  const began = Date.now();
  const address = `${network.prefix}.${10 + index}`;
  const pool = { prefix: network.prefix, first: 64 * index + 1, count: 62 };
  const namespaces = await Namespaces.create({ name: `${run}-${name}`, directory, kube: parts.kube, attached });
  await network.join(namespaces, name, address);
  // All of the pool is the node's own without being on an interface. Kubelet lets in whoever reaches it, so only the API server may,
  // which does from within.
  await namespaces.shell(`
    ip route add local ${pool.prefix}.${pool.first - 1}/26 dev lo
    iptables -A INPUT -i eth0 -p tcp --dport 10250 -j DROP
  `);
  const cgroup = `${run}-${name}`;
  await createCgroup(cgroup);
  const token = randomBytes(24).toString('hex');
  await writeNodeFiles(directory, { cgroup, address, token });

  const host: Host = { name, address, namespaces, kube: parts.kube };
  startControlPlane(host);
  const [kubeconfig] = await Promise.all([startedApiServer(host, token), startContainerd(namespaces, parts)]);
  startControllers(host);
  startKubelet(host);
  startLoadBalancer(host, pool);
  const api = new Api(join(directory, 'kubeconfig'));
  await until(`${name}'s node`, async () => isReady(JSON.parse(await api.call('GET', `/api/v1/nodes/${name}`))), SLOWLY);
  await until(`${name}'s DNS`, async () => (await fetch(`http://${address}:8181/ready`)).ok, SLOWLY);
  log(`${name} is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return { address, directory, kubeconfig };
}

/** A machine that is busy with other things as well takes several times as long as an idle one. */
const SLOWLY = { timeoutMs: 120_000 };

/** Waits until the API server answers, and writes and gives the way to it. */
async function startedApiServer({ name, address, namespaces }: Host, token: string): Promise<KubeconfigEntry> {
  const { directory } = namespaces;
  const certificate = join(directory, 'certificates', 'apiserver.crt');
  // It writes the key next: by then the certificate, and its authority behind it, are there to the last byte.
  const key = join(directory, 'certificates', 'apiserver.key');
  await until(`the certificate of ${name}'s API server`, () => existsSync(key), SLOWLY);
  const cluster = {
    server: `https://${address}:6443`,
    'certificate-authority-data': (await readFile(certificate)).toString('base64'),
  };
  const entry: KubeconfigEntry = { context: name, cluster, user: { token } };
  await writeKubeconfig(join(directory, 'kubeconfig'), [entry]);
  const api = new Api(join(directory, 'kubeconfig'));
  await until(`${name}'s API server`, () => api.call('GET', '/readyz'), SLOWLY);
  return entry;
}

async function startContainerd(namespaces: Namespaces, parts: Parts): Promise<void> {
  namespaces.start('containerd', ['containerd', '--config', `${INSIDE}/containerd.toml`]);
  const ctr = ['ctr', '--address', `${INSIDE}/containerd.sock`];
  // Its socket is there a moment before it listens.
  await until('containerd', () => namespaces.run([...ctr, 'version']), SLOWLY);
  await namespaces.run([...ctr, '--namespace', 'k8s.io', 'images', 'import', parts.images], { timeout: 180_000 });
}

function isReady(node: { status: { conditions?: { type: string; status: string }[] } }): boolean {
  return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
