import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parseResources } from '../../site/resources.ts';
import type { KubeObject } from '../objects.ts';
import type { CreateSiteRequest } from '../types.ts';
import { loadRuntime, type Runtime } from './bundles.ts';
import { siteObjects } from './create-site.ts';
import type { LiveSite } from './live-site.ts';
import { routerDeployment, type RouterOptions, runtimeConfig } from './router.ts';

let folder: string;
let runtime: Runtime;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caravan-bundles-'));
  const cli = `
    console.log(process.argv.slice(1).join(), require.main === module, require("./kubernetes.cjs"));
    if (process.env.SIGNALS === 'heard') process.on('SIGTERM', () => (console.log('drains'), process.exit(0)));
    if (process.env.SIGNALS) setInterval(() => process.kill(process.pid, 'SIGTERM'), 10);`;
  await writeFile(join(folder, 'caravan.cjs'), cli);
  await writeFile(join(folder, 'kubernetes.cjs'), 'module.exports = "client"');
  runtime = await loadRuntime(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const request: CreateSiteRequest = { context: 'west', namespace: 'shop', wayIn: 'LoadBalancer' };
const objects = (more: Partial<CreateSiteRequest> = {}, live?: LiveSite) => siteObjects({ ...request, ...more }, live);
const deployment = (more: Partial<RouterOptions> = {}) => routerDeployment({ siteName: 'shop', runtime, ...more });
const podOf = (more?: Partial<RouterOptions>) => deployment(more).spec!.template.spec!;
function find<K extends KubeObject['kind']>(kind: K, name = 'caravan', from = objects()) {
  const found = from.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found as Extract<KubeObject, { kind: K }>;
}

const all = () => [...objects(), runtimeConfig(runtime), deployment()];

test('a site is these objects, all with the labels that deletion looks for', () => {
  assert.deepEqual(
    all().map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      'ServiceAccount caravan',
      'Role caravan',
      'RoleBinding caravan',
      'ConfigMap caravan-site',
      'Service caravan-links',
      `ConfigMap caravan-runtime-${runtime.digest}`,
      'Deployment caravan',
    ],
  );
  for (const { metadata } of all())
    assert.partialDeepStrictEqual(metadata.labels, {
      'app.kubernetes.io/name': 'caravan',
      'app.kubernetes.io/managed-by': 'caravan',
    });
});

test('nothing needs rights outside the namespace', () => {
  assert.ok(all().every(({ kind }) => !kind.startsWith('Cluster')));
  const verbs = (resource: string) =>
    find('Role')
      .rules?.find(({ resources }) => resources?.includes(resource))
      ?.verbs?.join();
  assert.equal(verbs('pods'), 'get,list,watch');
  assert.equal(verbs('statefulsets'), 'get,list,watch');
  assert.equal(verbs('services'), 'get,list,watch,create,patch,delete');
  assert.equal(verbs('events'), 'create');
  assert.equal(verbs('secrets'), 'get,list,create,update,delete');
  assert.ok(find('Role').rules?.every(({ verbs: given, resources }) => ![...given, ...(resources ?? [])].includes('*')));
});

test("the pod passes pod security 'restricted'", () => {
  const pod = podOf();
  assert.partialDeepStrictEqual(pod.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  assert.ok(pod.securityContext!.runAsUser! > 0, 'a number, since the image itself runs as root');
  for (const { securityContext } of pod.containers)
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  assert.ok(!pod.hostNetwork && !pod.hostPID);
  assert.ok(pod.volumes!.every(({ hostPath }) => !hostPath));
});

test('the pod knows where it is, and is ready when it says so itself', () => {
  const [container] = podOf().containers;
  const env = Object.fromEntries(
    container!.env!.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef?.fieldPath]),
  );
  assert.partialDeepStrictEqual(env, { CARAVAN_NAMESPACE: 'metadata.namespace', CARAVAN_HOST_IP: 'status.hostIP' });
  assert.deepEqual(container!.readinessProbe!.httpGet, { path: '/healthz', port: 'health' });
  assert.deepEqual(container!.livenessProbe!.httpGet, { path: '/livez', port: 'health' });
  assert.deepEqual(
    container!.ports!.map(({ name, containerPort }) => [name, containerPort]),
    [
      ['links', 8443],
      ['health', 9090],
    ],
  );
  assert.equal(deployment().spec!.strategy!.type, 'Recreate');
});

test('another runtime is another ConfigMap, which the pod template names; no ConfigMap is ever changed', () => {
  const volume = (more?: Partial<RouterOptions>) => podOf(more).volumes!.find(({ name }) => name === 'bundles')!.configMap!.name;
  assert.equal(volume(), runtimeConfig(runtime).metadata.name);
  assert.notEqual(volume({ runtime: { ...runtime, digest: 'other' } }), volume());
  assert.equal((runtimeConfig(runtime) as { immutable?: boolean }).immutable, true);
});

test('OpenShift picks the user of a pod itself; that it is not root stays', () => {
  const { runAsUser, runAsGroup, runAsNonRoot } = podOf({ isOpenShift: true }).securityContext!;
  assert.deepEqual([runAsUser, runAsGroup, runAsNonRoot], [undefined, undefined, true]);
});

test('another image is used where asked for, and a part of a pod template is merged into ours', () => {
  assert.equal(podOf().containers[0]!.image, 'node:24-alpine');
  assert.equal(podOf({ image: 'mirror/node:24' }).containers[0]!.image, 'mirror/node:24');
  const toleration = { key: 'spot', operator: 'Exists' };
  const podTemplate = {
    metadata: { labels: { team: 'net' } },
    spec: {
      imagePullSecrets: [{ name: 'mirror' }],
      nodeSelector: { arch: 'arm64' },
      tolerations: [toleration],
      securityContext: { runAsGroup: null },
      containers: [
        { name: 'router', resources: { limits: { memory: '512Mi' } }, env: [{ name: 'CARAVAN_LOG', value: 'debug' }] },
      ],
    },
  };
  const { metadata, spec } = deployment({ podTemplate });
  const pod = spec!.template.spec!;
  assert.partialDeepStrictEqual(spec!.template.metadata!.labels, { team: 'net', 'app.kubernetes.io/name': 'caravan' });
  assert.deepEqual(pod.imagePullSecrets, [{ name: 'mirror' }]);
  assert.deepEqual(pod.tolerations!.map(({ key }) => key).slice(1), ['node.kubernetes.io/unreachable', 'spot']);
  assert.deepEqual([pod.securityContext!.runAsUser, 'runAsGroup' in pod.securityContext!], [1000, false]);
  assert.equal(pod.containers.length, 1);
  const [{ resources, env, command }] = pod.containers as [(typeof pod.containers)[number]];
  assert.deepEqual(resources, { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } });
  assert.ok(command && env!.some(({ name }) => name === 'CARAVAN_NAMESPACE') && env!.some(({ name }) => name === 'CARAVAN_LOG'));
  assert.deepEqual(JSON.parse(metadata.annotations!['caravan/pod-template']!), podTemplate);
  const again = deployment({ podTemplate, tolerations: pod.tolerations }).spec!.template.spec!;
  assert.deepEqual(again.tolerations, pod.tolerations, 'what is there already is not added again');
});

test("another way in changes that alone: the rest of the files is their owner's", () => {
  const access = `# ours
apiVersion: skupper.io/v2alpha1
kind: RouterAccess
metadata: {name: links}
spec:
  roles: [{name: inter-router, port: 8443}]
  bindHost: 127.0.0.1
  settings: {host: west.example.com} # DNS
---
apiVersion: skupper.io/v2alpha1
kind: Connector
metadata: {name: db}
spec: {routingKey: db, host: db.example.com, port: 5432}
`;
  const data = { 'site.yaml': "the owner's", 'more.yaml': 'more', 'router-access.yaml': access };
  const files = (wayIn: CreateSiteRequest['wayIn'], from: Record<string, string>) =>
    find('ConfigMap', 'caravan-site', objects({ wayIn }, { deployment: {}, config: { data: from }, wayIn: 'none' })).data!;
  const now = files('NodePort', data);
  assert.deepEqual({ ...now, 'router-access.yaml': '' }, { ...data, 'router-access.yaml': '' });
  const { resources, problems } = parseResources(now['router-access.yaml']!, 'x');
  assert.deepEqual([resources.length, problems], [2, []]);
  assert.match(now['router-access.yaml']!, /host: west\.example\.com.*# DNS/);
  assert.doesNotMatch(now['router-access.yaml']!, /bindHost/);
  assert.match(files('none', now)['router-access.yaml']!, /bindHost: 127\.0\.0\.1/);
  assert.throws(() => files('none', { 'router-access.yaml': 'a: [' }), /cannot be read as a RouterAccess: mend it first/);
});

test('the ways in: a Service of that type, or none and only loopback', () => {
  assert.equal(find('Service', 'caravan-links', objects({ wayIn: 'NodePort' })).spec?.type, 'NodePort');
  assert.ok(!objects({ wayIn: 'none' }).some(({ kind }) => kind === 'Service'));
  const bindHost = (wayIn: CreateSiteRequest['wayIn']) => {
    const yaml = find('ConfigMap', 'caravan-site', objects({ wayIn })).data!['router-access.yaml']!;
    const [access] = parseResources(yaml, 'x').resources;
    return access?.kind === 'RouterAccess' ? [access.spec.bindHost, access.spec.roles[0]!.port] : access;
  };
  assert.deepEqual(bindHost('LoadBalancer'), [undefined, 8443], 'every address, of IPv4 and IPv6');
  assert.deepEqual(bindHost('none'), ['127.0.0.1', 8443]);
});

test('the way in Ingress: a Service for it, an Ingress to its port for tunnels, and a RouterAccess that says so', () => {
  const ingress = { url: 'https://shop.example.com/caravan', className: 'nginx' };
  const made = objects({ wayIn: 'Ingress', ingress });
  const { type, ports } = find('Service', 'caravan-links', made).spec!;
  assert.equal(type, 'ClusterIP');
  assert.deepEqual(
    ports!.map(({ name, port, targetPort }) => [name, port, targetPort]),
    [
      ['links', 8443, 'links'],
      ['tunnels', 8480, 8480],
    ],
  );
  const backend = { service: { name: 'caravan-links', port: { name: 'tunnels' } } };
  assert.deepEqual(find('Ingress', 'caravan-links', made).spec, {
    ingressClassName: 'nginx',
    rules: [{ host: 'shop.example.com', http: { paths: [{ path: '/caravan', pathType: 'Prefix', backend }] } }],
  });
  const plain = objects({ wayIn: 'Ingress', ingress: { url: 'http://shop.example.com' } });
  assert.deepEqual(Object.keys(find('Ingress', 'caravan-links', plain).spec!), ['rules']);

  const access = (from: KubeObject[]) => {
    const [read] = parseResources(find('ConfigMap', 'caravan-site', from).data!['router-access.yaml']!, 'x').resources;
    return read?.kind === 'RouterAccess' ? [read.spec.bindHost, read.spec.settings] : read;
  };
  assert.deepEqual(access(made), [undefined, { tunnel: ingress.url, tunnelPort: '8480' }]);
  const { data } = find('ConfigMap', 'caravan-site', made);
  const live = (wayIn: LiveSite['wayIn']): LiveSite => ({ deployment: {}, config: { data: data! }, wayIn });
  assert.deepEqual(access(objects({ wayIn: 'none' }, live('Ingress'))), ['127.0.0.1', {}]);
  // Somebody's own proxy.
  assert.deepEqual(access(objects({ wayIn: 'NodePort' }, live('NodePort'))), [
    undefined,
    { tunnel: ingress.url, tunnelPort: '8480' },
  ]);
});

test("the site's own resources are read without a problem, and carry its name", () => {
  const config = find('ConfigMap', 'caravan-site', objects({ name: 'west-shop' }));
  assert.ok('skupper.io/resource' in config.metadata.labels!);
  const read = Object.entries(config.data!).map(([key, yaml]) => parseResources(yaml, key));
  assert.deepEqual(
    read.flatMap(({ problems }) => problems),
    [],
  );
  assert.deepEqual(
    read.flatMap(({ resources }) => resources.map(({ kind, name }) => `${kind} ${name}`)),
    ['Site west-shop', 'RouterAccess links'],
  );
});

test('the bootstrap unpacks the bundles and becomes the CLI', async () => {
  const [mounted, work] = [join(folder, 'mounted'), join(folder, 'work')];
  await mkdir(mounted);
  await mkdir(work);
  for (const [name, data] of Object.entries(runtime.binaryData))
    await writeFile(join(mounted, name), Buffer.from(data, 'base64'));
  const [node, flag, script] = podOf().containers[0]!.command!;
  assert.deepEqual([node, flag], ['node', '-e']);
  const here = script!.replaceAll('/opt/caravan', mounted).replaceAll('/run/caravan', work);
  const run = (env = {}) => promisify(execFile)(process.execPath, ['-e', here], { env: { ...process.env, ...env } });
  assert.equal((await run()).stdout, `${join(work, 'caravan.cjs')},run,--kubernetes true client\n`);
  // The kernel ends no first process of a container that does not listen: it must be the bootstrap that does.
  await assert.rejects(run({ SIGNALS: 'unheard' }), { code: 143, signal: null });
  assert.match((await run({ SIGNALS: 'heard' })).stdout, /drains\n$/);
});

test('bundles that are missing or too large are one sentence', async () => {
  await assert.rejects(loadRuntime(join(folder, 'nowhere')), {
    code: 'not-found',
    message: /caravan\.cjs is missing: install Caravan again, or build it\.$/,
  });
  const large = join(folder, 'large');
  await mkdir(large);
  await writeFile(join(large, 'caravan.cjs'), randomBytes(1_100_000));
  await writeFile(join(large, 'kubernetes.cjs'), '');
  await assert.rejects(
    loadRuntime(large),
    /^CaravanError: The runtime has \d+ bytes compressed, more than the 1048576 that a ConfigMap takes/,
  );
});
