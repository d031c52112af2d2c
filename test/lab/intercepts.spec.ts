/** A laptop that stands in for a service of a cluster, from the command line, for callers of both clusters. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { ApiClient } from '../../runtime/api/client.ts';
import * as kubernetes from '../../runtime/kubernetes/index.ts';
import { caravan as run } from '../support/caravan.ts';
import { until } from '../support/until.ts';
import { ClusterSite } from './cluster-site.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from './lab.ts';
import { fetchInPod, service, shell, webServer } from './workloads.ts';

const MINE = { baggage: 'caravan=ada' };
const URL_IN_POD = 'http://backend';
/** How long the cluster's own pods may take to answer again after the laptop was killed. */
const BACK_WITHIN_MS = 10_000;

describe('a laptop that stands in for a service of a cluster', { skip: whyLabCannotRun() }, () => {
  let lab: Lab;
  let west: ClusterSite;
  let east: ClusterSite;
  let home: string;
  let environment: NodeJS.ProcessEnv;
  let laptop: ApiClient;
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headersDistinct['baggage']?.join() ?? '');
    response.end('hello from the laptop');
  });

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [west, east] = await Promise.all([ClusterSite.prepare(lab.west), ClusterSite.prepare(lab.east)]);
    await Promise.all([west.create('LoadBalancer'), east.create('none')]);
    await east.linkTo(west);
    await west.apply(webServer('backend', { says: 'hello from west', replicas: 2 }));
    await west.apply(service('backend', { 'skupper.io/proxy': 'http' }));
    await Promise.all([west, east].map((site) => site.apply(shell('client'))));
    await Promise.all([west, east].map((site) => site.run('rollout', 'status', 'deployment/client')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    home = await mkdtemp(join(tmpdir(), 'caravan-'));
    environment = { CARAVAN_RUNTIME_DIR: join(home, 'run'), XDG_DATA_HOME: join(home, 'data'), HOME: home, KUBECONFIG: '' };
    laptop = ApiClient.overSocket(join(home, 'run', 'laptop.sock'));
    for (const site of [west, east]) await answers(site, 'hello from west');
  });
  afterEach(async () => {
    await caravan('leave').catch(() => undefined);
    await until('the Service to be as it was', async () => (await selector()) === '{"app":"backend"}');
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await lab.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('takes its own requests, and leaves everybody else what the cluster answers', async () => {
    await joinWest();
    const { port } = server.address() as AddressInfo;
    const said = await caravan('intercept', 'backend', '--port', String(port), '--header', 'baggage: caravan=ada');
    assert.equal(
      said,
      `127.0.0.1:${port} takes some of backend: requests with baggage: caravan=ada (connector intercept-backend-80).\n`,
    );
    for (const site of [west, east]) {
      await answers(site, 'hello from the laptop', MINE);
      await answers(site, 'hello from west');
      await answers(site, 'hello from west', { baggage: 'caravan=grace' });
    }
    assert.match(await caravan('services'), /◐ backend: \S+ takes some \(baggage: caravan=ada\)\n/);
  });

  it('listens in: callers get what the cluster answers, and it gets copies', async () => {
    await joinWest();
    heard.length = 0;
    await caravan('intercept', 'backend', '--port', String((server.address() as AddressInfo).port), '--listen-in');
    for (const site of [west, east]) {
      const mark = { baggage: `from=${site.cluster.name}` };
      await until('a copy', async () => {
        assert.equal(await ask(site, mark), 'hello from west');
        return heard.includes(mark.baggage);
      });
    }
  });

  it('takes over, and after it was killed the pods of the cluster answer again', async () => {
    await joinWest();
    await takeOver();
    const { router } = await laptop.status();
    process.kill(router.pid, 'SIGKILL');
    const killed = performance.now();
    for (const site of [west, east]) {
      await until('the pods', async () => (await ask(site)) === 'hello from west', { timeoutMs: BACK_WITHIN_MS });
      console.log(`# ${site.cluster.name} was answered by the pods again ${ms(killed)} ms after the laptop was killed`);
    }
    await until('the Service to be given back', async () => (await selector()) === '{"app":"backend"}');
    console.log(`# the Service was given back ${ms(killed)} ms after the laptop was killed`);
    await answers(west, 'hello from west');
  });

  it('takes over again after its router was killed and started anew, until it leaves', async () => {
    await joinWest();
    await takeOver();
    process.kill((await laptop.status()).router.pid, 'SIGKILL');
    await until('the pods', async () => (await ask(west)) === 'hello from west', { timeoutMs: BACK_WITHIN_MS });
    await caravan('join', '--context', west.ref.context, '--namespace', west.ref.namespace, '--kubeconfig', kubeconfig(west));
    for (const site of [west, east]) await answers(site, 'hello from the laptop');
    await caravan('leave');
    for (const site of [west, east]) await answers(site, 'hello from west');
  });

  it('what the owner of the Service applies meanwhile is kept', async () => {
    await joinWest();
    await takeOver();
    await west.apply(service('backend', { 'skupper.io/proxy': 'http', 'example.org/note': 'applied' }));
    await answers(west, 'hello from the laptop');
    await caravan('leave');
    await until('the Service to be given back', async () => (await selector()) === '{"app":"backend"}');
    const [note, port] = await Promise.all([
      west.run('get', 'service', 'backend', '-o', 'jsonpath={.metadata.annotations.example\\.org/note}'),
      west.run('get', 'service', 'backend', '-o', 'jsonpath={.spec.ports[0].targetPort}'),
    ]);
    assert.deepEqual([note, port], ['applied', '8080']);
    await answers(west, 'hello from west');
  });

  it('is refused in one sentence where it cannot be', async () => {
    await joinWest();
    const refused = async (...args: string[]) => (await run(['intercept', ...args], environment)).err;
    assert.match(await refused('nobody', '--port', '1'), /^caravan: No other site offers nobody, [^\n]+\n$/);
    assert.match(await refused('backend', '--port', '1', '--header', 'ada'), /^caravan: "ada" is not a field [^\n]+\n$/);
    assert.equal(await selector(), '{"app":"backend"}');
  });

  it('a site that is deleted while it is taken over leaves the Service as it was', async () => {
    await joinWest();
    await takeOver();
    await kubernetes.deleteSite(west.ref);
    assert.equal(await selector(), '{"app":"backend"}');
    await answers(west, 'hello from west');
    const left = await west.run('get', 'service', 'backend', '-o', 'jsonpath={.metadata.annotations}');
    assert.ok(!left.includes('caravan/'), left);
  });

  async function joinWest(): Promise<void> {
    await caravan('join', '--context', west.ref.context, '--namespace', west.ref.namespace, '--kubeconfig', kubeconfig(west));
    await until('the laptop to know the service', async () =>
      (await laptop.status()).services.some(({ address, destinations }) => address === 'backend' && destinations.length > 0),
    );
  }

  async function takeOver(): Promise<void> {
    await caravan('intercept', 'backend', '--port', String((server.address() as AddressInfo).port), '--take-over');
    for (const site of [west, east]) await answers(site, 'hello from the laptop');
  }

  async function caravan(...args: string[]): Promise<string> {
    const { code, out, err } = await run(args, environment);
    assert.equal(code, 0, err);
    return out;
  }

  function selector(): Promise<string> {
    return west.run('get', 'service', 'backend', '-o', 'jsonpath={.spec.selector}');
  }
});

/** Every request is a connection of its own. */
function ask({ cluster, ref }: ClusterSite, headers: Record<string, string> = {}): Promise<string> {
  return fetchInPod({ cluster, namespace: ref.namespace }, URL_IN_POD, headers);
}

function answers(site: ClusterSite, what: string, headers?: Record<string, string>): Promise<boolean> {
  return until(`"${what}" at ${site.cluster.name}`, async () => (await ask(site, headers)) === what);
}

function kubeconfig({ ref }: ClusterSite): string {
  return String(ref.kubeconfig);
}

function ms(since: number): number {
  return Math.round(performance.now() - since);
}
