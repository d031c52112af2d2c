import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PAUSE_IMAGE } from './images.ts';
import { INSIDE } from './namespaces.ts';

// The clusters' inner networks are alike, as those of clusters that know nothing of each other are.
export const POD_SUBNET = '10.244.0.0/24';
export const SERVICE_SUBNET = '10.96.0.0/16';

/**
 * Writes what a node's components are set up with.
 *
 * @param options.cgroup The name of the control group for its pods.
 * @param options.token The administrator's.
 */
export async function writeNodeFiles(
  directory: string,
  { cgroup, address, token }: { cgroup: string; address: string; token: string },
): Promise<void> {
  for (const folder of ['certificates', 'cni']) await mkdir(join(directory, folder), { recursive: true });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const files = {
    'service-accounts.key': privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    'tokens.csv': `${token},admin,admin,system:masters\n`,
    'containerd.toml': containerdConfig,
    'cni/10-pods.conflist': JSON.stringify(podNetwork),
    'kubelet.json': JSON.stringify(kubeletConfig(cgroup, address)),
    'resolv.conf': `nameserver ${address}\n`,
    Corefile: corefile(address),
  };
  for (const [file, content] of Object.entries(files)) await writeFile(join(directory, file), content, { mode: 0o600 });
}

// Without CAP_SYS_RESOURCE, as in many containers, a sandbox cannot get a negative score of the out-of-memory killer, and runc only
// says "can't get final child's PID from pipe".
const containerdConfig = `version = 2
root = "${INSIDE}/containerd"
state = "${INSIDE}/containerd-state"
[grpc]
  address = "${INSIDE}/containerd.sock"
[ttrpc]
  address = "${INSIDE}/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "${INSIDE}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${INSIDE}/cni"
`;

const podNetwork = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: POD_SUBNET }]],
        routes: [{ dst: '0.0.0.0/0' }],
        dataDir: `${INSIDE}/cni-data`,
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

function kubeletConfig(cgroup: string, address: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    clusterDNS: [address],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: `unix://${INSIDE}/containerd.sock`,
    evictionHard: { 'imagefs.available': '1%', 'nodefs.available': '1%' },
    failSwapOn: false,
    imageGCHighThresholdPercent: 100,
    podLogsDir: `${INSIDE}/pod-logs`,
    resolvConf: `${INSIDE}/resolv.conf`,
    volumePluginDir: `${INSIDE}/volume-plugins`,
  };
}

/** Names outside the cluster do not exist: a refused query would make programs try again instead of failing. */
function corefile(address: string): string {
  return `.:53 {
  bind ${address}
  errors
  ready ${address}:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${INSIDE}/kubeconfig
    pods insecure
    ttl 1
  }
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
