/** Sites over months: other versions, also such as do not run, certificates that end, an API server that is away, and their end. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clientFor } from '../../runtime/kubernetes/clients.ts';
import { BUNDLES } from '../../runtime/kubernetes/install/bundles.ts';
import * as kubernetes from '../../runtime/kubernetes/index.ts';
import { HEALTH_PORT } from '../../runtime/kubernetes/ports.ts';
import { secretStore } from '../../runtime/kubernetes/store.ts';
import type { Kubernetes, NamespaceRef } from '../../runtime/kubernetes/types.ts';
import { directoryStore } from '../../runtime/site/directory-store.ts';
import type { SiteStore } from '../../runtime/site/store.ts';
import { VERSION } from '../../runtime/version.ts';
import { type SiteProcess, SiteProcesses } from '../router/site-processes.ts';
import { until } from '../support/until.ts';
import { bundles, ClusterSite } from './cluster-site.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from './lab.ts';
import { ageLink, ageServer } from './old-certificates.ts';
import { fetchInPod, shell, webServer } from './workloads.ts';

const DAY_MS = 86_400_000;
const ROUTER = 'app.kubernetes.io/component=router';

describe('sites that run for long', { skip: whyLabCannotRun() }, () => {
  let lab: Lab;
  let west: ClusterSite;
  let east: ClusterSite;
  let westId: string;
  let sites: SiteProcesses;

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [west, east, sites] = await Promise.all([ClusterSite.prepare(lab.west), ClusterSite.prepare(lab.east), SiteProcesses.make()]);
    await Promise.all([
      west.apply(webServer('backend', { says: 'hello from west', annotations: { 'skupper.io/proxy': 'tcp' } })),
      east.apply(shell('client')),
    ]);
    await Promise.all([west.create('LoadBalancer'), east.create('none')]);
    await east.linkTo(west);
    westId = (await west.api.status()).site.id;
    await Promise.all([west.run('rollout', 'status', 'deployment/backend'), east.run('rollout', 'status', 'deployment/client')]);
  });
  after(async () => {
    await sites?.stop();
    await lab?.stop();
  });

  it('are upgraded: links come back by themselves, and what their owner chose stays', async () => {
    await west.run('set', 'resources', 'deployment/caravan', '--requests=memory=200Mi');
    const next = await release('0.2.0');
    const [upgraded] = await Promise.all([
      next.upgradeSite(west.ref),
      kubernetes.upgradeSite({ ...east.ref, bundles, podTemplate: { spec: { nodeSelector: { 'kubernetes.io/os': 'linux' } } } }),
    ]);
    assert.partialDeepStrictEqual(upgraded, { name: 'west', version: '0.2.0', ready: true, wayIn: 'LoadBalancer' });
    await runs('0.2.0');
    assert.equal((await runtimes()).length, 2, 'what ran before is kept');
  });

  it('keep the code that ran before, and no older one, so that an upgrade can be undone', async () => {
    const ran = await runtimes();
    const next = await release('0.3.0');
    await next.upgradeSite(west.ref);
    const now = await runtimes();
    assert.equal(now.length, 2);
    assert.equal(ran.filter((name) => now.includes(name)).length, 1);
    await west.run('rollout', 'undo', 'deployment/caravan');
    await west.run('rollout', 'status', 'deployment/caravan');
    await runs('0.2.0');
    const { sites: found } = await kubernetes.findSites(west.ref);
    assert.deepEqual(
      found.map(({ name, version, ready }) => [name, version, ready]),
      [['west', '0.2.0', true]],
    );
  });

  it('go on as they were where what is to come cannot run, and say why', async () => {
    const next = await release('0.4.0');
    const notThere = { ...west.ref, image: 'localhost:1/none:1' };
    const podTemplate = { spec: { nodeSelector: { 'example.org/moon': 'far-side' } } };
    await Promise.all([
      goesOn(next.upgradeSite(notThere), 'cannot pull its image localhost:1/none:1: connection refused', '0.2.0'),
      goesOn(next.upgradeSite({ ...east.ref, podTemplate }, undefined, { timeoutMs: 12_000 }), 'fits no node: .+', VERSION).then(
        () => next.upgradeSite({ ...east.ref, podTemplate: { spec: {} } }),
      ),
    ]);
    const selector = await east.run('get', 'deployment', 'caravan', '-o', 'jsonpath={.spec.template.spec.nodeSelector}');
    assert.equal(selector, '', 'nothing is left of an earlier wish');
    await until('west to answer', async () => (await west.api.status()).site.version === '0.2.0');
    assert.equal((await east.api.status()).site.version, '0.4.0');

    function goesOn(upgrade: Promise<unknown>, why: string, version: string): Promise<void> {
      const message = new RegExp(`^The router's pod caravan-\\S+ ${why}. The site goes on with v${version}.$`);
      return assert.rejects(upgrade, { message });
    }
  });

  it('renew certificates that are old, also through a port-forward; one that has ended says so', async () => {
    const [laptop] = await sites.start('laptop');
    const { yaml } = await east.api.issueToken({});
    await laptop.api.redeemToken({ yaml, portForward: { ...east.ref, kubeconfig: String(east.ref.kubeconfig) } });
    await linked(laptop);
    await Promise.all([stop(west), stop(east), laptop.stop()]);
    const [atWest, atEast] = await Promise.all([storeOf(west), storeOf(east)]);
    const atLaptop = directoryStore(join(laptop.folder, 'data'));
    await Promise.all([ageServer(atWest, 300), ageServer(atEast, 300)]);
    await ageLink(atEast, 'west', atWest, 300);
    await ageLink(atLaptop, 'east', atEast, 300);

    // One after the other: who does not reach the other one at once tries again in a minute.
    await start(west);
    await west.status('an address', ({ access }) => access.length > 0 || undefined);
    await start(east);
    await laptop.start();
    for (const site of [west, east, laptop])
      await site.status('certificates of a year', (status) => {
        const dials = status.links.filter(({ direction }) => direction === 'outgoing');
        const ends = [status.site, ...dials].map(({ certificateEnds }) => Date.parse(certificateEnds!));
        return ends.every((end) => end > Date.now() + 360 * DAY_MS) || undefined;
      });
    await Promise.all([linked(laptop), runs('0.2.0')]);
    assert.ok((await atEast.read('renewed/west')) && (await atLaptop.read('renewed/east')));
    for (const site of [west, east, laptop]) assert.deepEqual((await site.api.status()).problems, []);

    await laptop.stop();
    await ageLink(atLaptop, 'east', atEast, 400);
    await laptop.start();
    const message = await laptop.status('the end', ({ links }) => links[0]?.message);
    assert.match(message, /^its certificate ended on 20\d\d-\d\d-\d\d, and only a new token lets this site in again: [^\n.]+$/);
    await laptop.stop();
  });

  it('wait for an API server that is away at their start, and are not restarted', async (t) => {
    const { node } = east.cluster;
    if (!node) return t.skip('it runs elsewhere');
    const rule = 'INPUT -i cni0 -p tcp --dport 6443 -j REJECT --reject-with tcp-reset';
    await stop(east);
    await node.shell(`iptables -I ${rule}`);
    try {
      await east.run('scale', 'deployment/caravan', '--replicas=1');
      await until('its wait', async () => (await east.run('logs', '-l', ROUTER)).includes('cannot start yet'));
      const pod = await east.run('get', 'pods', '-l', ROUTER, '-o', 'jsonpath={.items[0].metadata.name}');
      const path = `/api/v1/namespaces/${east.ref.namespace}/pods/${pod}:${HEALTH_PORT}/proxy/livez`;
      assert.equal(await east.cluster.run('get', '--raw', path), 'ok\n');
    } finally {
      await node.shell(`iptables -D ${rule}`);
    }
    await east.run('rollout', 'status', 'deployment/caravan');
    await runs('0.2.0');
    const restarts = 'jsonpath={.items[*].status.containerStatuses[*].restartCount}';
    assert.equal(await east.run('get', 'pods', '-l', ROUTER, '-o', restarts), '0');
  });

  it('leave nothing of a namespace that was made for them, unless something else is in it', async () => {
    // Namespaces are made by who may do so in the whole cluster.
    const made = ({ cluster: { context }, ref }: ClusterSite): NamespaceRef => {
      return { kubeconfig: lab.kubeconfigPath, context, namespace: `${ref.namespace}-made` };
    };
    const [empty, used] = [made(west), made(east)];
    try {
      const wishes = { wayIn: 'none', createNamespace: true, bundles } as const;
      await Promise.all([empty, used].map((ref) => kubernetes.createSite({ ...ref, ...wishes })));
      const report = ['--image=node:24-alpine', '--schedule=0 0 1 1 *', '--', 'true'];
      await lab.east.run('create', 'cronjob', 'report', '-n', used.namespace, ...report);
      const told = await Promise.all([empty, used].map((ref) => kubernetes.deleteSite(ref)));
      assert.deepEqual(told, [undefined, `The namespace ${used.namespace} stays: it holds CronJob report.`]);
      assert.equal(await lab.west.run('get', 'namespace', empty.namespace, '--ignore-not-found'), '');
      const kinds = 'deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,pods,cronjobs';
      const left = await lab.east.run('get', kinds, '-n', used.namespace, '-o', 'name');
      assert.deepEqual(left.trim().split('\n'), ['configmap/kube-root-ca.crt', 'serviceaccount/default', 'cronjob.batch/report']);
    } finally {
      const end = ['--ignore-not-found', '--wait=false'];
      await lab.west.run('delete', 'namespace', empty.namespace, ...end);
      await lab.east.run('delete', 'namespace', used.namespace, ...end);
    }
  });

  /** What a release of Caravan brings along that is this one but for its number. */
  async function release(version: string): Promise<Kubernetes> {
    const folder = await mkdtemp(join(lab.west.scratch, 'release-'));
    for (const name of BUNDLES) {
      const code = await readFile(join(bundles, name), 'utf8');
      await writeFile(join(folder, name), code.replaceAll(`"${VERSION}"`, `"${version}"`));
    }
    return createRequire(import.meta.url)(join(folder, 'kubernetes.cjs')) as Kubernetes;
  }

  /** West has this version and what its owner chose, and is the site that it was, for those that link with it and use it. */
  async function runs(version: string): Promise<void> {
    const { name, id } = await east.status(`west with ${version}`, ({ sites: all, links }) =>
      links.some(({ state }) => state === 'up') ? all.find((site) => site.version === version) : undefined,
    );
    assert.deepEqual([name, id, (await west.api.status()).site.version], ['west', westId, version]);
    const client = { cluster: east.cluster, namespace: east.ref.namespace };
    await until('an answer', async () => (await fetchInPod(client, 'http://backend:8080')) === 'hello from west');
    const memory = 'jsonpath={.spec.template.spec.containers[0].resources.requests.memory}';
    assert.equal(await west.run('get', 'deployment', 'caravan', '-o', memory), '200Mi');
  }

  async function runtimes(): Promise<string[]> {
    const names = (await west.run('get', 'configmaps', '-o', 'name')).split('\n');
    return names.filter((name) => name.startsWith('configmap/caravan-runtime-'));
  }
});

async function stop(site: ClusterSite): Promise<void> {
  await site.run('scale', 'deployment/caravan', '--replicas=0');
  await site.run('wait', '--for=delete', 'pod', '-l', ROUTER, '--timeout=30s');
}

async function start(site: ClusterSite): Promise<void> {
  await site.run('scale', 'deployment/caravan', '--replicas=1');
  await site.run('rollout', 'status', 'deployment/caravan');
}

async function storeOf({ ref }: ClusterSite): Promise<SiteStore> {
  return secretStore(await clientFor(ref), ref.namespace);
}

function linked(site: SiteProcess): Promise<boolean> {
  return site.status('the link up', ({ links }) => links.some(({ state }) => state === 'up'));
}
