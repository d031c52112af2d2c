/** The Services that Caravan keeps in a namespace, between their owners, quotas and an API server that has a mind of its own. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { V1Service } from '@kubernetes/client-node';
import * as kubernetes from '../../runtime/kubernetes/index.ts';
import { until } from '../support/until.ts';
import { ClusterSite } from './cluster-site.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from './lab.ts';
import { askInPod, fetchInPod, service, shell, webServer } from './workloads.ts';

const EXPOSED = { 'skupper.io/proxy': 'tcp', 'skupper.io/port': '8080' };
/** How a Service comes over a proxy, by its name: what kubectl is told, and what its owner says of it; of one, it is the Deployment's to say. */
const OVER: Record<string, { verb: string[]; annotations: Record<string, string> }> = {
  applied: { verb: ['apply'], annotations: EXPOSED },
  served: { verb: ['apply', '--server-side', '--force-conflicts'], annotations: EXPOSED },
  replaced: { verb: ['replace'], annotations: EXPOSED },
  workload: { verb: ['apply'], annotations: {} },
  unexposed: { verb: ['apply'], annotations: {} },
};

describe('the Services of two clusters', { skip: whyLabCannotRun() }, () => {
  let lab: Lab;
  let west: ClusterSite;
  let east: ClusterSite;

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [west, east] = await Promise.all([ClusterSite.prepare(lab.west), ClusterSite.prepare(lab.east)]);
    await Promise.all([
      west.apply(webServer('web', { says: 'west', datagrams: true })),
      east.apply(webServer('web', { says: 'east' })),
      east.apply(shell('client')),
    ]);
    await Promise.all([west.create('LoadBalancer'), east.create('none')]);
    await east.linkTo(west);
    await Promise.all([west.run('rollout', 'status', 'deployment/web'), east.run('rollout', 'status', 'deployment/client')]);
  });
  after(() => lab?.stop());

  it("are their owner's where one is put over a proxy, whichever way, and outlive what was offered", async () => {
    const names = Object.keys(OVER);
    await Promise.all(names.map(offer));
    const proxies = new Map(await Promise.all(names.map(async (name) => [name, await proxyOf(name)] as const)));
    await east.apply(webServer('workload', { annotations: { 'skupper.io/proxy': 'tcp' } }));
    await Promise.all(Object.entries(OVER).map(([name, { verb, annotations }]) => putOver(name, verb, annotations)));
    for (const [name, { annotations }] of Object.entries(OVER)) {
      const { metadata, spec } = await until(`${name} to be its owner's`, async () => {
        const now = await serviceOf(name);
        return !JSON.stringify([now?.metadata?.annotations, now?.metadata?.labels]).includes('caravan') && now;
      });
      const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...told } = metadata!.annotations ?? {};
      assert.deepEqual([metadata!.labels, told, spec!.selector], [undefined, annotations, { app: 'web' }], name);
      assert.deepEqual(
        spec!.ports!.map(({ name: called, port, targetPort }) => [called, port, targetPort]),
        [['http', 80, 8080]],
        name,
      );
      assert.equal(metadata!.uid, proxies.get(name)!.metadata!.uid, 'it is the very object');
    }
    const exposed = names.filter((name) => name !== 'unexposed');
    await Promise.all(exposed.map((name) => offeredBy(name, ['east', 'west'])));
    const { where, message } = await east.status('the conflict', ({ problems }) => problems[0]);
    assert.equal(where, 'Service unexposed');
    assert.match(message, /^A Service of this name is here already, [^\n]+\.$/);

    await west.run('delete', 'service', ...names);
    await Promise.all(exposed.map((name) => offeredBy(name, ['east'])));
    await east.status('no conflict any more', ({ problems }) => problems.length === 0);
    await replan();
    for (const name of names) assert.equal((await serviceOf(name))?.metadata?.uid, proxies.get(name)!.metadata!.uid, name);
  });

  it('have exactly the ports that are exposed now, and are written no more once they have', async () => {
    await offer('moved');
    await reached('tcp', 8080);
    await annotate({ 'skupper.io/port': '9090:8080' });
    await reached('tcp', 9090);
    await annotate({ 'skupper.io/proxy': 'udp' });
    await reached('udp', 9090);
    const { metadata } = await proxyOf('moved');
    await replan();
    assert.equal((await proxyOf('moved')).metadata!.resourceVersion, metadata!.resourceVersion);

    async function reached(protocol: 'tcp' | 'udp', port: number): Promise<void> {
      const wanted = JSON.stringify([[port, protocol.toUpperCase()]]);
      await until(`the port ${wanted} alone`, async () => {
        const { spec } = await proxyOf('moved');
        return JSON.stringify(spec!.ports!.map((each) => [each.port, each.protocol])) === wanted;
      });
      const client = { cluster: east.cluster, namespace: east.ref.namespace };
      const ask = () => (protocol === 'udp' ? askInPod(client, 'moved', port) : fetchInPod(client, `http://moved:${port}`));
      await until(`an answer at ${wanted}`, async () => (await ask()) === 'west');
    }

    function annotate(annotations: Record<string, string>): Promise<void> {
      return kubernetes.annotate({ ...west.ref, kind: 'Service', name: 'moved' }, annotations);
    }
  });

  it('that a quota does not allow are one problem, and come once it does', async () => {
    const { items } = JSON.parse(await east.run('get', 'services', '-o', 'json')) as { items: V1Service[] };
    await east.run('create', 'quota', 'few', `--hard=services=${items.length}`);
    // Until it is counted, Kubernetes refuses everything, for another reason.
    await until('the quota', () => east.run('get', 'quota', 'few', '-o', 'jsonpath={.status.used.services}'));
    await Promise.all(['late', 'later'].map(offer));
    const says =
      /^The quota few allows no more Services, so pods of this namespace do not reach late and 1 other by name; raise it\.$/;
    const seen = await east.status('the problem', ({ problems }) =>
      problems.some(({ message }) => says.test(message)) ? problems : undefined,
    );
    assert.deepEqual(
      seen.map(({ where }) => where),
      [`Namespace ${east.ref.namespace}`],
    );
    await east.run('patch', 'quota', 'few', '-p', JSON.stringify({ spec: { hard: { services: String(items.length + 2) } } }));
    await Promise.all(['late', 'later'].map(proxyOf));
    await east.status('no problem any more', ({ problems }) => problems.length === 0);
    await east.run('delete', 'quota', 'few');
  });

  it('what is wrong with an annotation is one Event of its object', async () => {
    await west.apply(webServer('wrong', { replicas: 0, annotations: { 'skupper.io/proxy': 'tpc' } }));
    const told = async () => {
      const described = await west.run('describe', 'deployment', 'wrong');
      return described.split('\n').filter((line) => line.includes('CaravanProblem'));
    };
    await until('the Event', async () => (await told()).length > 0);
    await replan();
    const [event, ...others] = await told();
    assert.match(event!, /Warning +CaravanProblem .*caravan +skupper\.io\/proxy is "tpc"; it must be one of tcp, .*\.$/);
    assert.deepEqual(others, []);
    await kubernetes.annotate({ ...west.ref, kind: 'Deployment', name: 'wrong' }, { 'skupper.io/proxy': null });
    await west.status('no problem any more', ({ problems }) => problems.length === 0);
  });

  /** Exposes the servers of west under another name. */
  function offer(name: string): Promise<void> {
    return west.apply(service(name, EXPOSED, { port: 8080, app: 'web' }));
  }

  async function putOver(name: string, verb: string[], annotations: Record<string, string>): Promise<void> {
    const file = join(east.cluster.scratch, `${name}.json`);
    await writeFile(file, service(name, annotations, { app: 'web' }));
    await east.run(...verb, '-f', file);
  }

  function offeredBy(name: string, sites: string[]): Promise<unknown> {
    return east.status(`${name} of ${sites.join(' and ')}`, ({ services }) => {
      const { destinations = [] } = services.find(({ address }) => address === name) ?? {};
      return [...new Set(destinations.map(({ site }) => site))].sort().join() === sites.join() || undefined;
    });
  }

  /** Both sites plan anew, and more than once; all that they wish for then is written. */
  async function replan(): Promise<void> {
    await offer('passing');
    await proxyOf('passing');
    await west.run('delete', 'service', 'passing');
    await until('the proxy to be gone', async () => (await serviceOf('passing')) === undefined);
  }

  /** The Service of east that leads to the router there. */
  function proxyOf(name: string): Promise<V1Service> {
    return until(`the proxy ${name}`, async () => {
      const found = await serviceOf(name);
      return found?.metadata?.labels?.['app.kubernetes.io/component'] === 'proxy' && found;
    });
  }

  async function serviceOf(name: string): Promise<V1Service | undefined> {
    const found = await east.run('get', 'service', name, '--ignore-not-found', '-o', 'json');
    return found === '' ? undefined : (JSON.parse(found) as V1Service);
  }
});
