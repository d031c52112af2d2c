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

let folder: string;
let runtime: Runtime;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caravan-bundles-'));
  await writeFile(
    join(folder, 'caravan.cjs'),
    'console.log(process.argv.slice(1).join(), require.main === module, require("./kubernetes.cjs"))',
  );
  await writeFile(join(folder, 'kubernetes.cjs'), 'module.exports = "client"');
  runtime = await loadRuntime(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const request: CreateSiteRequest = { context: 'west', namespace: 'shop', wayIn: 'LoadBalancer' };
const objects = (more: Partial<CreateSiteRequest> = {}) => siteObjects({ ...request, ...more }, runtime);
function find<K extends KubeObject['kind']>(kind: K, name = 'caravan', from = objects()) {
  const found = from.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found as Extract<KubeObject, { kind: K }>;
}

test('a site is these objects, the Deployment last, all with the labels that deletion looks for', () => {
  assert.deepEqual(
    objects().map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      'ServiceAccount caravan',
      'Role caravan',
      'RoleBinding caravan',
      'ConfigMap caravan-runtime',
      'ConfigMap caravan-site',
      'Service caravan-links',
      'Deployment caravan',
    ],
  );
  for (const { metadata } of objects())
    assert.partialDeepStrictEqual(metadata.labels, {
      'app.kubernetes.io/name': 'caravan',
      'app.kubernetes.io/managed-by': 'caravan',
    });
});

test('nothing needs rights outside the namespace', () => {
  assert.ok(objects().every(({ kind }) => !kind.startsWith('Cluster')));
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
  const pod = find('Deployment').spec!.template.spec!;
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
  const [container] = find('Deployment').spec!.template.spec!.containers;
  const env = Object.fromEntries(
    container!.env!.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef?.fieldPath]),
  );
  assert.partialDeepStrictEqual(env, {
    CARAVAN_NAMESPACE: 'metadata.namespace',
    CARAVAN_POD: 'metadata.name',
    CARAVAN_HOST_IP: 'status.hostIP',
  });
  assert.deepEqual(container!.readinessProbe!.httpGet, { path: '/healthz', port: 'health' });
  assert.deepEqual(
    container!.ports!.map(({ name, containerPort }) => [name, containerPort]),
    [
      ['links', 8443],
      ['health', 9090],
    ],
  );
  assert.equal(find('Deployment').spec!.strategy!.type, 'Recreate');
});

test('another runtime rolls the pod, another image is used where asked for', async () => {
  const template = (from: KubeObject[]) => find('Deployment', 'caravan', from).spec!.template;
  const other = siteObjects(request, { ...runtime, digest: 'other' });
  assert.notDeepEqual(template(other).metadata!.annotations, template(objects()).metadata!.annotations);
  assert.equal(template(objects()).spec!.containers[0]!.image, 'node:24-alpine');
  assert.equal(template(objects({ image: 'mirror/node:24' })).spec!.containers[0]!.image, 'mirror/node:24');
});

test('the ways in: a Service of that type, or none and only loopback', () => {
  assert.equal(find('Service', 'caravan-links', objects({ wayIn: 'NodePort' })).spec?.type, 'NodePort');
  assert.ok(!objects({ wayIn: 'none' }).some(({ kind }) => kind === 'Service'));
  const bindHost = (wayIn: CreateSiteRequest['wayIn']) => {
    const yaml = find('ConfigMap', 'caravan-site', objects({ wayIn })).data!['router-access.yaml']!;
    const [access] = parseResources(yaml, 'x').resources;
    return access?.kind === 'RouterAccess' ? [access.spec.bindHost, access.spec.roles[0]!.port] : access;
  };
  assert.deepEqual(bindHost('LoadBalancer'), ['0.0.0.0', 8443]);
  assert.deepEqual(bindHost('none'), ['127.0.0.1', 8443]);
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
  const [node, flag, script] = find('Deployment').spec!.template.spec!.containers[0]!.command!;
  assert.deepEqual([node, flag], ['node', '-e']);
  const here = script!.replaceAll('/opt/caravan', mounted).replaceAll('/run/caravan', work);
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', here]);
  assert.equal(stdout, `${join(work, 'caravan.cjs')},run,--kubernetes true client\n`);
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
