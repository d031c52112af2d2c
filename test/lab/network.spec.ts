/** One network over two real clusters and this machine: what the extension does, without the editor. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import * as kubernetes from '../../runtime/kubernetes/index.ts';
import { type SiteProcess, SiteProcesses } from '../router/site-processes.ts';
import { until } from '../support/until.ts';
import { bundles, ClusterSite } from './cluster-site.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from './lab.ts';
import { callOnOneChannel, fetchInPod, fetchOnOneConnection, grpcServer, shell, webServer } from './workloads.ts';

const LINKS = 'app.kubernetes.io/component=links';

describe('a network of two clusters and a laptop', { skip: whyLabCannotRun() }, () => {
  let lab: Lab;
  let west: ClusterSite;
  let east: ClusterSite;
  let sites: SiteProcesses;
  let laptop: SiteProcess;

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [west, east] = await Promise.all([ClusterSite.prepare(lab.west), ClusterSite.prepare(lab.east)]);
    sites = await SiteProcesses.make();
    [laptop] = await sites.start('laptop');
  });
  after(async () => {
    await sites?.stop();
    await lab?.stop();
  });

  it('creates a site in a restricted namespace with namespace rights only', async () => {
    await Promise.all([west.create('LoadBalancer'), east.create('none')]);
    const { sites: found } = await kubernetes.findSites({ kubeconfig: lab.kubeconfigPath, context: west.cluster.context });
    const site = found.find(({ namespace }) => namespace === west.ref.namespace);
    assert.equal(site?.ready, true);
    assert.equal(site.name, 'west');
  });

  it('says in one sentence what a user without rights may not do', async () => {
    const elsewhere = { ...west.ref, namespace: 'kube-system' };
    await assert.rejects(kubernetes.createSite({ ...elsewhere, wayIn: 'none', bundles }), (error: Error) => {
      assert.match(error.message, /^[^\n]*kube-system[^\n]*$/);
      assert.match(error.message, /may not|rights|forbidden|not allowed/i);
      return true;
    });
  });

  it('links them through the load balancer', async () => {
    await west.status('an address', ({ access }) => access.find(({ way }) => way === 'LoadBalancer'));
    const { yaml } = await west.api.issueToken({});
    const { link, peer } = await east.api.redeemToken({ yaml });
    assert.equal(peer, 'west');
    await east.status('the link up', ({ links }) => links.find(({ id, state }) => id === link && state === 'up'));
  });

  it('makes an annotated Deployment reachable in the other cluster, by its name', async () => {
    await west.cluster.apply(webServer('backend', { says: 'hello from west', replicas: 2 }), west.ref.namespace);
    await east.cluster.apply(shell('client'), east.ref.namespace);
    await west.cluster.run('rollout', 'status', 'deployment/backend', '-n', west.ref.namespace);
    await east.cluster.run('rollout', 'status', 'deployment/client', '-n', east.ref.namespace);
    await assert.rejects(fetchFrom(east, 'http://backend:8080'), 'nothing answers before it is exposed');
    const annotated = performance.now();
    await kubernetes.annotate({ ...west.ref, kind: 'Deployment', name: 'backend' }, { 'skupper.io/proxy': 'tcp' });
    const answer = await until('an answer in the other cluster', () => fetchFrom(east, 'http://backend:8080'));
    console.log(`# from annotating to an answer in the other cluster: ${Math.round(performance.now() - annotated)} ms`);
    assert.equal(answer, 'hello from west');
    const service = await east.status('both pods', ({ services }) =>
      services.find(({ destinations }) => destinations.length === 2),
    );
    assert.equal(service.address, 'backend');
    assert.deepEqual(service.ports, [8080]);
    assert.ok(service.destinations.every(({ site, target }) => site === 'west' && target.startsWith('backend-')));
  });

  it('makes it reachable in its own namespace, too', async () => {
    await west.cluster.apply(shell('client'), west.ref.namespace);
    await west.cluster.run('rollout', 'status', 'deployment/client', '-n', west.ref.namespace);
    assert.equal(await until('an answer at home', () => fetchFrom(west, 'http://backend:8080')), 'hello from west');
  });

  it('spreads the requests of one connection, and the calls of one gRPC channel, over the pods', async () => {
    const { namespace } = west.ref;
    await west.cluster.apply(webServer('web', { replicas: 2, annotations: { 'skupper.io/proxy': 'http' } }), namespace);
    await west.cluster.apply(grpcServer('names', { replicas: 2, annotations: { 'skupper.io/proxy': 'http2' } }), namespace);
    for (const address of ['web', 'names'])
      await east.status(`both pods of ${address}`, ({ services }) =>
        services.some((service) => service.address === address && service.destinations.length === 2),
      );
    const pod = { cluster: east.cluster, namespace: east.ref.namespace };
    const answers = await until('answers', () => fetchOnOneConnection(pod, 'http://web:8080', 12));
    assert.deepEqual(Object.values(tally(answers)), [6, 6]);
    const names = await until('calls', () => callOnOneChannel(pod, 'http://names:50051', 12));
    assert.deepEqual(Object.values(tally(names)), [6, 6]);
    await west.cluster.run('delete', 'deployment', 'web', 'names', '-n', namespace);
  });

  it('brings it to the laptop, through the port-forward of a cluster', async () => {
    const joined = performance.now();
    await join(laptop, east);
    const port = await laptop.listen('backend');
    const answer = await until('an answer on the laptop', async () => (await fetch(`http://127.0.0.1:${port}`)).text());
    console.log(`# from joining to an answer on the laptop: ${Math.round(performance.now() - joined)} ms`);
    assert.equal(answer, 'hello from west');
  });

  it('brings a port of the laptop to the pods of both clusters, by its name', async () => {
    const server = createServer((_request, response) => response.end('hello from the laptop')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { port } = server.address() as { port: number };
      const made = await laptop.api.expose({ address: 'mine', port });
      for (const site of [west, east])
        assert.equal(
          await until('an answer from the laptop', () => fetchFrom(site, `http://mine:${port}`)),
          'hello from the laptop',
        );
      await laptop.api.remove(made);
      for (const site of [west, east])
        await until('the Service to be gone', async () => !(await serviceNames(site)).includes('mine'));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('never overwrites a Service of the user, and says so', async () => {
    const own = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders' },
      spec: { ports: [{ port: 1 }], selector: { app: 'x' } },
    };
    await east.cluster.apply(JSON.stringify(own), east.ref.namespace);
    await west.cluster.apply(
      webServer('orders', { says: 'orders', annotations: { 'skupper.io/proxy': 'tcp' } }),
      west.ref.namespace,
    );
    const problem = await east.status('the conflict', ({ problems }) => problems.find(({ where }) => where.includes('orders')));
    assert.match(problem.message, /^[^\n]+\.$/);
    const selector = await east.cluster.run(
      'get',
      'service',
      'orders',
      '-n',
      east.ref.namespace,
      '-o',
      'jsonpath={.spec.selector}',
    );
    assert.equal(selector, '{"app":"x"}');
    await east.cluster.run('delete', 'service', 'orders', '-n', east.ref.namespace);
    await until('the proxy Service in its place', async () => (await fetchFrom(east, 'http://orders:8080')) === 'orders');
    await east.status('no conflict any more', ({ problems }) => problems.length === 0);
  });

  it('keeps serving while a pod is replaced', async () => {
    const pods = async () => {
      const { services } = await east.api.status();
      return services.find(({ address }) => address === 'backend')?.destinations.map(({ target }) => target) ?? [];
    };
    const former = await pods();
    await west.cluster.run('delete', 'pod', '-l', 'app=backend', '-n', west.ref.namespace, '--wait=false');
    await until('two new pods', async () => {
      const now = await pods();
      return now.length === 2 && !now.some((pod) => former.includes(pod));
    });
    await until('an answer of the new pods', async () => (await fetchFrom(east, 'http://backend:8080')) === 'hello from west');
  });

  it('removes it everywhere with the annotation', async () => {
    await kubernetes.annotate({ ...west.ref, kind: 'Deployment', name: 'backend' }, { 'skupper.io/proxy': null });
    for (const site of [west, east])
      await until('the Service to be gone', async () => !(await serviceNames(site)).includes('backend'));
  });

  it('links again by itself after a router pod was replaced', async () => {
    await west.cluster.run('delete', 'pod', '-l', 'app.kubernetes.io/name=caravan', '-n', west.ref.namespace);
    await until('an answer through the new pod', async () => (await fetchFrom(east, 'http://orders:8080')) === 'orders', {
      timeoutMs: 60_000,
    });
  });

  it('takes links behind an Ingress, until its way in is another one', async () => {
    const url = 'https://shop.example.com/caravan';
    const objects = async () => (await east.run('get', 'ingresses,services', '-l', LINKS, '-o', 'name')).trim().split('\n');
    await kubernetes.createSite({ ...east.ref, wayIn: 'Ingress', ingress: { url }, bundles });
    assert.deepEqual(await objects(), ['ingress.networking.k8s.io/caravan-links', 'service/caravan-links']);
    const rule = 'jsonpath={.spec.rules[0].host}{.spec.rules[0].http.paths[0].path}';
    assert.equal(await east.run('get', 'ingress', 'caravan-links', '-o', rule), 'shop.example.com/caravan');
    await east.status('what it tells others', ({ access }) => access.some(({ tunnel }) => tunnel === url) || undefined);
    const { sites: found } = await kubernetes.findSites(east.ref);
    assert.equal(found[0]?.wayIn, 'Ingress');
    // What a controller leads to: empty, and good.
    await until('the port for tunnels', async () => (await fetchFrom(east, 'http://caravan-links:8480/')) === '');
    await kubernetes.createSite({ ...east.ref, wayIn: 'NodePort', bundles });
    assert.deepEqual(await objects(), ['service/caravan-links']);
    await east.status('a NodePort', ({ access }) => access.some(({ way }) => way === 'NodePort') || undefined);
    await until('an answer through its link', async () => (await fetchFrom(east, 'http://orders:8080')) === 'orders');
  });

  it('leaves nothing behind when a site is deleted', async () => {
    for (const { cluster, ref } of [west, east]) {
      await kubernetes.deleteSite(ref);
      const kinds = 'deployments,services,ingresses,configmaps,secrets,serviceaccounts,roles,rolebindings,leases,pods';
      const left = await until('everything to be gone', async () => {
        const names = (await cluster.run('get', kinds, '-n', ref.namespace, '-o', 'name'))
          .split('\n')
          .filter((name) => /caravan|orders$/.test(name));
        return names.every((name) => /deployment.apps\/orders/.test(name)) && names;
      });
      console.log(`# left in ${ref.namespace}: ${left.join(', ') || 'nothing'}`);
    }
  });

  it('does not wait for a cluster that does not answer', async () => {
    const { context, kubeconfigPath } = await lab.silentContext();
    const asked = performance.now();
    await assert.rejects(kubernetes.findSites({ kubeconfig: kubeconfigPath, context }, { timeoutMs: 1000 }), /does not answer/);
    console.log(`# gave up after ${Math.round(performance.now() - asked)} ms`);
  });
});

async function join(laptop: SiteProcess, { api, ref }: ClusterSite): Promise<void> {
  const { yaml } = await api.issueToken({});
  const { link } = await laptop.api.redeemToken({ yaml, portForward: { ...ref, kubeconfig: String(ref.kubeconfig) } });
  await laptop.status('the link up', ({ links }) => links.some(({ id, state }) => id === link && state === 'up'));
}

function fetchFrom({ cluster, ref }: ClusterSite, url: string): Promise<string> {
  return fetchInPod({ cluster, namespace: ref.namespace }, url);
}

async function serviceNames({ cluster, ref }: ClusterSite): Promise<string[]> {
  return (await cluster.run('get', 'services', '-n', ref.namespace, '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
