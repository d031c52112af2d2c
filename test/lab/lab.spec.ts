import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { buildParts } from './build.ts';
import type { Cluster } from './cluster.ts';
import { command, CommandError } from './command.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from './lab.ts';
import { namespaceUser } from './namespace-user.ts';
import { whyClustersCannotRun } from './prerequisites.ts';
import { removeLeftovers, type Run, runLives } from './run.ts';
import { until } from '../support/until.ts';
import { webServer } from './workloads.ts';

const services = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web-public }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;

describe('the lab', { skip: whyLabCannotRun() }, () => {
  let lab: Lab;
  let west: { cluster: Cluster; namespace: string };
  let east: { cluster: Cluster; namespace: string };

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [west, east] = await Promise.all([deployed(lab.west), deployed(lab.east)]);
  });

  after(() => lab?.stop());

  async function deployed(cluster: Cluster) {
    const namespace = await cluster.createNamespace('lab-spec', { restricted: true });
    await cluster.apply(webServer('web', { says: cluster.name, replicas: 2 }), namespace);
    await cluster.apply(services, namespace);
    return { cluster, namespace };
  }

  /** What a URL says to a pod of the west. */
  function seenFromWest(url: string): Promise<string> {
    return until(`${url} from a pod in west`, () =>
      west.cluster.run('exec', '-n', west.namespace, 'deployment/web', '--', 'wget', '-q', '-O', '-', url),
    );
  }

  function seenFromHere(url: string): Promise<string> {
    return until(`${url} from this machine`, async () => (await fetch(url, { signal: AbortSignal.timeout(2000) })).text());
  }

  async function nodePort(): Promise<string> {
    const path = 'jsonpath={.spec.ports[0].nodePort}';
    return `http://${east.cluster.nodeAddress}:${await east.cluster.run('get', 'service', 'web', '-n', east.namespace, '-o', path)}`;
  }

  function ingressAddress(service: string, namespace = east.namespace): Promise<string> {
    const path = 'jsonpath={.status.loadBalancer.ingress[0].ip}';
    return until(
      `the address of ${service}`,
      async () => (await east.cluster.run('get', 'service', service, '-n', namespace, '-o', path)) || undefined,
    );
  }

  it('runs pods with probes in a namespace that restricts them', async () => {
    await Promise.all(
      [west, east].map(({ cluster, namespace }) =>
        cluster.run('wait', '-n', namespace, '--for=condition=Available', 'deployment/web', '--timeout=60s'),
      ),
    );
  });

  it('refuses a pod that the restriction forbids', async () => {
    await assert.rejects(
      west.cluster.run('run', 'loose', '-n', west.namespace, '--image=node:24-alpine'),
      (error) => error instanceof CommandError && error.stderr.includes('violates PodSecurity "restricted'),
    );
  });

  it('resolves the names of Services inside a pod, in short and in full', async () => {
    assert.equal(await seenFromWest('http://web'), 'west');
    assert.equal(await seenFromWest(`http://web.${west.namespace}.svc.cluster.local`), 'west');
  });

  it('leads from the other cluster and from this machine to a NodePort', async () => {
    assert.equal(await seenFromWest(await nodePort()), 'east');
    assert.equal(await seenFromHere(await nodePort()), 'east');
  });

  it('leads from the other cluster and from this machine to the address of a LoadBalancer', async () => {
    const url = `http://${await ingressAddress('web-public')}`;
    assert.equal(await seenFromWest(url), 'east');
    assert.equal(await seenFromHere(url), 'east');
  });

  it('gives LoadBalancers with the same port addresses of their own', async () => {
    const other = await east.cluster.createNamespace('lab-spec-other');
    await east.cluster.run('create', 'service', 'loadbalancer', 'web-public', '--tcp=80:8080', '-n', other);
    assert.notEqual(await ingressAddress('web-public', other), await ingressAddress('web-public'));
  });

  it('runs commands in pods and shows what they log', async () => {
    const said = await west.cluster.run('exec', '-n', west.namespace, 'deployment/web', '--', 'node', '--version');
    assert.match(said, /^v24\./);
    await west.cluster.run('logs', '-n', west.namespace, 'deployment/web');
  });

  it('forwards a local port to a Service', async () => {
    const forward = await east.cluster.portForward(east.namespace, 'service/web', 80);
    try {
      assert.equal(await seenFromHere(`http://127.0.0.1:${forward.port}`), 'east');
    } finally {
      forward.close();
    }
  });

  it("lets a namespace's user see that namespace and no other", async () => {
    const kubeconfig = await namespaceUser(west.cluster, west.namespace);
    const asUser = (...args: string[]) => west.cluster.run(...args, '--kubeconfig', kubeconfig);
    assert.match(await asUser('get', 'pods', '-o', 'name'), /^pod\/web-/);
    const forbidden = (error: unknown) => error instanceof CommandError && error.stderr.includes('Forbidden');
    await assert.rejects(asUser('get', 'namespaces'), forbidden);
    await assert.rejects(asUser('get', 'pods', '-n', 'default'), forbidden);
  });

  it('has a context whose API server never answers', async () => {
    const silent = await lab.silentContext();
    const to = ['--kubeconfig', silent.kubeconfigPath, '--context', silent.context];
    const asked = west.cluster.run('get', '--raw=/readyz', ...to, '--request-timeout=1s');
    await assert.rejects(asked, (error) => error instanceof CommandError && /timeout|deadline/i.test(error.stderr));
    silent.close();
  });
});

describe('a lab whose process was killed', { skip: whyClustersCannotRun() }, () => {
  it('leaves no processes and interfaces, and the next one removes its folder and cgroups', async () => {
    const { kube } = await buildParts((line) => console.error(line));
    const script = `
      import { createCgroup } from '${import.meta.dirname}/cgroups.ts';
      import { Network } from '${import.meta.dirname}/network.ts';
      import { newRun } from '${import.meta.dirname}/run.ts';
      const { name, directory } = newRun();
      await Network.create(name, { directory: directory + '/network', kube: '${kube}', attached: true });
      await createCgroup(name + '-west');
      console.log(JSON.stringify({ name, directory }));
      setInterval(() => undefined, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const [said] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
    const run: Run = JSON.parse(said.toString());
    assert.ok(runLives(run.name));
    assert.ok(networkInterfaces()[run.name]);
    assert.ok(existsSync(run.directory));

    // The runs of others, which live, stay.
    await removeLeftovers();
    assert.ok(existsSync(run.directory));

    child.kill('SIGKILL');
    await ended;
    await until('the end of its processes', () => !runLives(run.name));
    await until('the end of its interface', async () => !(await command('ip', ['link', 'show'])).includes(run.name));
    await removeLeftovers();
    assert.ok(!existsSync(run.directory));
    assert.equal(await command('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', `${run.name}*`]), '');
  });
});
