// Gives Services of type LoadBalancer an address: node load-balancer.ts KUBECONFIG PREFIX FIRST COUNT
//
// The lab runs one in each cluster. All of the addresses lead to the cluster's node, where kube-proxy takes over.
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from './api.ts';

interface Service {
  metadata: { name: string; namespace: string };
  spec: { type: string };
  status?: { loadBalancer?: { ingress?: { ip: string }[] } };
}

const [kubeconfig = '', prefix = '', first = '', count = ''] = process.argv.slice(2);
const pool = Array.from({ length: Number(count) }, (_, index) => `${prefix}.${Number(first) + index}`);
const api = new Api(kubeconfig);
/** By the Service's path. */
const given = new Map<string, string>();

for (;;) {
  try {
    // Each watch begins with all Services there are, so nothing is missed between two.
    for await (const { type, object } of api.watch('/api/v1/services')) await changed(type, object as Service);
  } catch (error) {
    console.error(error);
    await sleep(500);
  }
}

async function changed(type: string, service: Service): Promise<void> {
  if (type === 'ERROR' || type === 'BOOKMARK') return;
  const path = `/api/v1/namespaces/${service.metadata.namespace}/services/${service.metadata.name}`;
  const has = service.status?.loadBalancer?.ingress?.[0]?.ip;
  if (type === 'DELETED' || service.spec.type !== 'LoadBalancer') {
    given.delete(path);
    if (has && type !== 'DELETED') await setIngress(path, []);
    return;
  }
  if (has) {
    given.set(path, has);
    return;
  }
  const taken = new Set(given.values());
  const ip = pool.find((each) => !taken.has(each));
  if (!ip) {
    console.error(`no address left for ${path}`);
    return;
  }
  given.set(path, ip);
  await setIngress(path, [{ ip }]);
}

async function setIngress(path: string, ingress: { ip: string }[]): Promise<void> {
  await api.call('PATCH', `${path}/status`, { status: { loadBalancer: { ingress } } });
}
