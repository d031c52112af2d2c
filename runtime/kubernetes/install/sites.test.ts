import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { V1Deployment, V1IngressSpec, V1ServiceSpec } from '@kubernetes/client-node';
import { FakeApi, reply, status } from '../fake-api.testkit.ts';
import { findSitesWith } from '../find-sites.ts';
import type { CreateSiteRequest } from '../types.ts';
import { createSiteWith } from './create-site.ts';
import { deleteSiteWith } from './delete-site.ts';
import { othersWork } from './others-work.ts';
import { upgradeSiteWith } from './upgrade-site.ts';

let api: FakeApi;
let bundles: string;
before(async () => {
  api = await FakeApi.start();
  bundles = await mkdtemp(join(tmpdir(), 'caravan-bundles-'));
  for (const name of ['caravan.cjs', 'kubernetes.cjs']) await writeFile(join(bundles, name), name);
});
after(async () => {
  await api.close();
  await rm(bundles, { recursive: true, force: true });
});
beforeEach(() => {
  api.intercept = ({ method, path }) => {
    // The cluster's own part: a Deployment becomes ready once it is applied.
    if (method === 'PATCH' && path.endsWith('/deployments/caravan'))
      queueMicrotask(() => becomes(path.split('/')[5]!, { updatedReplicas: 1, readyReplicas: 1 }));
    return false;
  };
});

function becomes(namespace: string, replicas: object): void {
  const deployment = api.get('Deployment', namespace, 'caravan');
  if (deployment) api.put('Deployment', namespace, { ...deployment, status: replicas });
}
const request = (namespace: string, more: Partial<CreateSiteRequest> = {}): CreateSiteRequest => ({
  context: 'fake',
  namespace,
  wayIn: 'LoadBalancer',
  bundles,
  ...more,
});

test('a site is made, found, and deleted without a trace, its namespace too', async () => {
  const steps: string[] = [];
  const client = api.client();
  const made = await createSiteWith(client, request('a', { createNamespace: true, name: 'west-a' }), (step) => steps.push(step));
  assert.partialDeepStrictEqual(made, { name: 'west-a', namespace: 'a', ready: true, wayIn: 'LoadBalancer' });
  assert.equal(steps[0], 'Making the namespace a');
  assert.ok(steps.includes("Waiting for the router's pod"));
  const { sites, namespaces, limited } = await findSitesWith(client, 'default');
  assert.deepEqual(sites, [{ ...made }]);
  assert.deepEqual([namespaces, limited], [['a'], undefined]);

  const labels = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/managed-by': 'caravan' };
  api.put('Service', 'a', { metadata: { name: 'backend', labels } });
  api.put('Secret', 'a', { metadata: { name: 'caravan-identity', labels } });
  api.put('ConfigMap', 'a', { metadata: { name: 'kube-root-ca.crt' } });
  await deleteSiteWith(client, 'a');
  for (const kind of ['Deployment', 'Service', 'Secret', 'Role', 'RoleBinding', 'ServiceAccount', 'Namespace'] as const)
    assert.deepEqual((await client.list(kind, 'a')).items, [], kind);
});

test("a namespace that holds somebody's work stays, and so does one that Caravan did not make", async () => {
  const client = api.client();
  await createSiteWith(client, request('b', { createNamespace: true }));
  api.put('Deployment', 'b', { metadata: { name: 'backend' } });
  assert.equal(await deleteSiteWith(client, 'b'), 'The namespace b stays: it holds Deployment backend.');
  assert.ok(api.get('Namespace', 'b', 'b') && api.get('Deployment', 'b', 'backend'));

  api.put('Namespace', 'c', { metadata: { name: 'c' } });
  await createSiteWith(client, request('c', { createNamespace: true }));
  assert.equal(await deleteSiteWith(client, 'c'), undefined);
  assert.ok(api.get('Namespace', 'c', 'c'));
});

/** An empty namespace of Caravan's own, whose site goes. */
async function deleteIn(namespace: string, fill: () => void): Promise<string | undefined> {
  await createSiteWith(api.client(), request(namespace, { createNamespace: true }));
  fill();
  return await deleteSiteWith(api.client(), namespace);
}

test('every kind that the cluster has counts as work, but not what it puts everywhere itself', async () => {
  api.kinds['batch/v1'] = { CronJob: 'cronjobs' };
  api.kinds['example.com/v1beta1'] = { Widget: 'widgets' };
  api.kinds['metrics.k8s.io/v1beta1'] = { PodMetrics: 'pods' };
  const stays = await deleteIn('e', () => {
    api.putAt('/apis/batch/v1/namespaces/e/cronjobs/report');
    api.putAt('/apis/example.com/v1beta1/namespaces/e/widgets/one');
    for (const name of ['ada', 'bob', 'default']) api.put('ServiceAccount', 'e', { metadata: { name } });
  });
  assert.equal(
    stays,
    'The namespace e stays: it holds CronJob report, ServiceAccount ada, ServiceAccount bob and 1 other object.',
  );
  assert.ok(api.get('Namespace', 'e', 'e'));

  const gone = await deleteIn('f', () => {
    for (const name of ['kube-root-ca.crt', 'openshift-service-ca.crt', 'istio-ca-root-cert'])
      api.put('ConfigMap', 'f', { metadata: { name } });
    for (const name of ['default', 'builder']) api.put('ServiceAccount', 'f', { metadata: { name } });
    const annotations = { 'kubernetes.io/service-account.name': 'builder' };
    api.put('Secret', 'f', { metadata: { name: 'builder-dockercfg-x7k2p', annotations } });
    api.put('Pod', 'f', { metadata: { name: 'made', ownerReferences: [{ name: 'maker' }] } });
    api.putAt('/api/v1/namespaces/f/endpoints/made');
    api.putAt('/apis/metrics.k8s.io/v1beta1/namespaces/f/pods/caravan-1');
  });
  assert.equal(gone, undefined);
  assert.equal(api.get('Namespace', 'f', 'f'), undefined);
});

test('a namespace stays where what is in it may not be seen, or cannot be in time', async () => {
  const { intercept } = api;
  let answer: (response: Parameters<typeof intercept>[1]) => void = (response) =>
    reply(response, 403, status(403, 'cronjobs.batch is forbidden: no'));
  api.intercept = (call, response) => {
    if (!call.path.endsWith('/secrets') || call.query.get('limit') === null) return intercept(call, response);
    answer(response);
    return true;
  };
  const unseen = 'The namespace g stays: whether anything else is in it could not be looked at: ';
  assert.equal(await deleteIn('g', () => {}), `${unseen}Cronjobs.batch is forbidden: no (context fake).`);
  answer = (response) => response.destroy();
  assert.match((await deleteIn('g', () => {}))!, /^The namespace g stays: .* could not be looked at: /);
  assert.ok(api.get('Namespace', 'g', 'g'));
  answer = () => {};
  const late = await othersWork(api.client(), 'g', undefined, 50);
  assert.equal(late, 'whether anything else is in it could not be looked at: that took longer than 0.05 s');
  await assert.rejects(othersWork(api.client(), 'g', AbortSignal.abort()), { name: 'AbortError' });
});

test('who may not make a namespace may still use one that is there', async () => {
  const { intercept } = api;
  api.intercept = (call, response) => {
    if (!/\/namespaces(\/h)?$/.test(call.path)) return intercept(call, response);
    reply(response, 403, status(403, 'namespaces is forbidden: User "ada" cannot create resource "namespaces" in API group ""'));
    return true;
  };
  assert.equal((await createSiteWith(api.client(), request('h', { createNamespace: true }))).ready, true);
});

describe('a site that is there', () => {
  const newer = async () => {
    const folder = await mkdtemp(join(bundles, 'newer-'));
    for (const name of ['caravan.cjs', 'kubernetes.cjs']) await writeFile(join(folder, name), `newer ${name}`);
    return folder;
  };
  const deployed = (namespace: string) => api.get('Deployment', namespace, 'caravan') as unknown as V1Deployment;
  const runtimes = async (namespace: string) =>
    (await api.client().list('ConfigMap', namespace)).items
      .map(({ metadata }) => metadata!.name!)
      .filter((name) => name.startsWith('caravan-runtime'))
      .toSorted(byName);
  const volumeOf = ({ spec }: V1Deployment) =>
    spec!.template.spec!.volumes!.find(({ name }) => name === 'bundles')!.configMap!.name!;
  const byName = (a: string, b: string) => (a < b ? -1 : 1);
  const place = (namespace: string) => ({ context: 'fake', namespace });
  before(() => api.put('Namespace', 'up', { metadata: { name: 'up' } }));

  test('is upgraded: other code, and all that its owner has chosen stays', async () => {
    const client = api.client();
    const podTemplate = { spec: { imagePullSecrets: [{ name: 'mirror' }] } };
    await createSiteWith(client, request('up', { name: 'west', image: 'mirror/node:24', wayIn: 'NodePort', podTemplate }));
    const config = api.get('ConfigMap', 'up', 'caravan-site')!;
    const edge = 'apiVersion: skupper.io/v2alpha1\nkind: Site\nmetadata: {name: west}\nspec: {edge: true}\n';
    api.put('ConfigMap', 'up', { ...config, data: { 'site.yaml': edge } });
    api.put('Secret', 'up', { metadata: { name: 'caravan-identity', labels: config.metadata!.labels! } });
    const resources = { requests: { memory: '1Gi' } };
    const changed = deployed('up');
    changed.spec!.template.spec!.containers[0]!.resources = resources;
    const fieldsV1 = {
      'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"router"}': { 'f:resources': {} } } } } },
    };
    changed.metadata!.managedFields = [{ manager: 'kubectl-set', operation: 'Update', fieldsV1 }];
    const [older] = await runtimes('up');

    const upgraded = await upgradeSiteWith(client, { ...place('up'), bundles: await newer() });
    assert.partialDeepStrictEqual(upgraded, { name: 'west', namespace: 'up', ready: true, wayIn: 'NodePort' });
    const pod = deployed('up').spec!.template.spec!;
    assert.equal(pod.containers[0]!.image, 'mirror/node:24');
    assert.deepEqual(pod.containers[0]!.resources, resources);
    assert.deepEqual(pod.imagePullSecrets, podTemplate.spec.imagePullSecrets);
    assert.deepEqual(api.get('ConfigMap', 'up', 'caravan-site')!['data'], { 'site.yaml': edge });
    assert.ok(api.get('Secret', 'up', 'caravan-identity') && api.get('Service', 'up', 'caravan-links'));
    assert.notEqual(volumeOf(deployed('up')), older);
    assert.deepEqual(await runtimes('up'), [older!, volumeOf(deployed('up'))].toSorted(byName), 'what ran before is kept');
    const ran = volumeOf(deployed('up'));
    api.put('ConfigMap', 'up', { metadata: { name: 'caravan-runtime', labels: config.metadata!.labels! } });
    await upgradeSiteWith(client, { ...place('up'), bundles: await newer(), image: 'node:26' });
    assert.equal(deployed('up').spec!.template.spec!.containers[0]!.image, 'node:26');
    await writeFile(join(bundles, 'caravan.cjs'), 'yet another');
    await upgradeSiteWith(client, { ...place('up'), bundles });
    assert.deepEqual(await runtimes('up'), [ran, volumeOf(deployed('up'))].toSorted(byName), 'what ran before that is not');
  });

  test('gets another way in, and keeps its name, its image and the port of its Service', async () => {
    const client = api.client();
    const links = api.get('Service', 'up', 'caravan-links')!;
    const ports = [{ name: 'links', port: 443, targetPort: 'links' }];
    api.put('Service', 'up', { ...links, spec: { ...(links['spec'] as object), ports } });
    await createSiteWith(client, request('up', { image: 'mirror/node:25' }));
    assert.partialDeepStrictEqual(api.get('Service', 'up', 'caravan-links')!['spec'], { type: 'LoadBalancer', ports });
    const { name, wayIn } = await createSiteWith(client, request('up', { name: 'other', wayIn: 'none' }));
    assert.deepEqual([name, wayIn], ['west', 'none']);
    assert.equal(deployed('up').spec!.template.spec!.containers[0]!.image, 'mirror/node:25');
  });

  test('goes on as it was where the new router does not get ready, or nobody waits for it any more', async () => {
    const client = api.client();
    const ran = volumeOf(deployed('up'));
    // As `kubectl rollout undo` does: the pods are of another version than the Deployment says.
    const undone = deployed('up');
    undone.spec!.template.metadata!.labels!['app.kubernetes.io/version'] = '0.0.9';
    undone.metadata!.managedFields = [{ manager: 'caravan', operation: 'Apply' }];
    api.put('Deployment', 'up', undone as Parameters<typeof api.put>[2]);
    const { sites } = await findSitesWith(client, 'up');
    assert.equal(sites.find(({ namespace }) => namespace === 'up')?.version, '0.0.9');
    const { intercept } = api;
    // The cluster's own part: a Deployment that was changed is not ready for now, and who replaces it owns what that changes.
    api.intercept = ({ method, path, body }) => {
      if (!path.endsWith('/deployments/caravan')) return false;
      if (method === 'PATCH') queueMicrotask(() => becomes('up', { unavailableReplicas: 1 }));
      if (method === 'PUT') (body!.metadata!['managedFields'] as object[]).push({ manager: 'caravan', operation: 'Update' });
      return false;
    };
    const upgrade = { ...place('up'), bundles: await newer() };
    await assert.rejects(upgradeSiteWith(client, upgrade, undefined, { timeoutMs: 100 }), {
      code: 'timeout',
      message: 'The router has no pod yet. The site goes on with v0.0.9.',
    });
    assert.equal(volumeOf(deployed('up')), ran);
    assert.deepEqual(deployed('up').metadata!.managedFields, undone.metadata!.managedFields);

    becomes('up', { readyReplicas: 1 });
    const cancel = new AbortController();
    const progress = (step: string) => step.startsWith('Waiting') && cancel.abort();
    await assert.rejects(upgradeSiteWith(client, upgrade, progress, { signal: cancel.signal }), { name: 'AbortError' });
    assert.equal(volumeOf(deployed('up')), ran);
    api.intercept = intercept;
  });

  test('is left alone where the cluster refuses the Deployment', async () => {
    const stood = deployed('up');
    api.intercept = ({ method, path }, response) => {
      if (method !== 'PATCH' || !path.endsWith('/deployments/caravan')) return false;
      reply(response, 403, status(403, 'admission webhook "policy" denied the request: images come from mirror/'));
      return true;
    };
    await assert.rejects(
      upgradeSiteWith(api.client(), { ...place('up'), bundles: await newer() }),
      /Admission webhook "policy" denied the request: images come from mirror\/ \(context fake\)\.$/,
    );
    assert.deepEqual(deployed('up'), stood);
  });

  test('is left alone where the code is not made, since the quota was counted for another meanwhile', async () => {
    const stood = deployed('up');
    const conflict = 'Operation cannot be fulfilled on resourcequotas "small": the object has been modified';
    api.intercept = ({ method, path }, response) => {
      if (method !== 'POST' || !path.endsWith('/configmaps')) return false;
      reply(response, 409, status(409, conflict, 'Conflict'));
      return true;
    };
    await assert.rejects(upgradeSiteWith(api.client(), { ...place('up'), bundles: await newer() }), { code: 'conflict' });
    assert.deepEqual(deployed('up'), stood);
  });

  test('has to be there', async () => {
    await assert.rejects(upgradeSiteWith(api.client(), { ...place('c2'), bundles }), {
      code: 'not-found',
      message: 'The namespace c2 (context fake) holds no site: create one there first.',
    });
  });

  test('leaves no runtime behind when it is deleted', async () => {
    await deleteSiteWith(api.client(), 'up');
    assert.deepEqual(await runtimes('up'), []);
  });
});

test('without a namespace it says so; with the way in taken away its Service goes', async () => {
  const client = api.client();
  await assert.rejects(createSiteWith(client, request('nowhere')), {
    code: 'not-found',
    message: /There is no namespace nowhere \(context fake\)/,
  });
  await assert.rejects(createSiteWith(client, request('c', { name: 'Bad Name' })), /A site cannot be called "Bad Name"/);
  await createSiteWith(client, request('c'));
  assert.ok(api.get('Service', 'c', 'caravan-links'));
  await createSiteWith(client, request('c', { wayIn: 'none' }));
  assert.equal(api.get('Service', 'c', 'caravan-links'), undefined);
});

test('with an Ingress it is found so, can be given another way in and back, and is deleted with it', async () => {
  const client = api.client();
  api.put('Namespace', 'i', { metadata: { name: 'i' } });
  await assert.rejects(createSiteWith(client, request('i', { wayIn: 'Ingress' })), {
    code: 'bad-request',
    message: 'An Ingress needs the URL at which it is reached, such as https://shop.example.com.',
  });
  const ingress = { url: 'https://shop.example.com' };
  const service = () => api.get('Service', 'i', 'caravan-links')!['spec'] as V1ServiceSpec;
  const found = async () => (await findSitesWith(client, 'i')).sites.find(({ namespace }) => namespace === 'i')?.wayIn;
  const names = () => service().ports!.map(({ name, nodePort }) => [name, nodePort]);

  await createSiteWith(client, request('i', { wayIn: 'NodePort' }));
  const stood = api.get('Service', 'i', 'caravan-links')!;
  const ports = [{ name: 'links', port: 443, targetPort: 'links', nodePort: 30_443 }];
  api.put('Service', 'i', { ...stood, spec: { ...(stood['spec'] as object), ports } });
  await createSiteWith(client, request('i', { wayIn: 'Ingress', ingress }));
  assert.equal(await found(), 'Ingress');
  assert.equal(service().type, 'ClusterIP');
  assert.deepEqual(names(), [
    ['links', undefined],
    ['tunnels', undefined],
  ]);
  const made = api.get('Ingress', 'i', 'caravan-links')!;
  const tls = [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }];
  api.put('Ingress', 'i', { ...made, spec: { ...(made['spec'] as object), tls } });
  await createSiteWith(client, request('i', { wayIn: 'Ingress', ingress }));
  assert.deepEqual((api.get('Ingress', 'i', 'caravan-links')!['spec'] as V1IngressSpec).tls, tls, "its owner's");

  await createSiteWith(client, request('i', { wayIn: 'LoadBalancer' }));
  assert.equal(await found(), 'LoadBalancer');
  assert.deepEqual(names(), [['links', undefined]]);
  assert.equal(api.get('Ingress', 'i', 'caravan-links'), undefined);

  await createSiteWith(client, request('i', { wayIn: 'Ingress', ingress }));
  await deleteSiteWith(client, 'i');
  for (const kind of ['Ingress', 'Service', 'Deployment'] as const)
    assert.deepEqual((await client.list(kind, 'i')).items, [], kind);
});

/** Refuses to write one object. */
function refuse(end: string, message: string): void {
  api.intercept = ({ method, path }, response) => {
    if (method === 'GET' || !path.endsWith(end)) return false;
    reply(response, 403, status(403, message));
    return true;
  };
}

test('others are told of an Ingress only while there is one, and one that was made half-way goes', async () => {
  const { intercept } = api;
  const client = api.client();
  api.put('Namespace', 'j', { metadata: { name: 'j' } });
  const toIngress = request('j', { wayIn: 'Ingress', ingress: { url: 'https://shop.example.com' } });
  const isTold = () => JSON.stringify(api.get('ConfigMap', 'j', 'caravan-site')).includes('shop.example.com');
  const ingress = () => api.get('Ingress', 'j', 'caravan-links');
  const policy = 'admission webhook "policy" denied the request';
  await createSiteWith(client, request('j'));
  for (const end of ['/ingresses/caravan-links', '/services/caravan-links']) {
    refuse(end, policy);
    await assert.rejects(createSiteWith(client, toIngress), /webhook "policy" denied/);
    assert.equal(isTold(), false, end);
  }
  assert.ok(ingress(), 'made before the Service was refused');
  api.intercept = intercept;
  await createSiteWith(client, request('j', { wayIn: 'NodePort' }));
  assert.equal(ingress(), undefined);

  await createSiteWith(client, toIngress);
  assert.equal(isTold(), true);
  refuse('/services/caravan-links', policy);
  await assert.rejects(createSiteWith(client, request('j')), /webhook "policy" denied/);
  assert.equal(isTold(), false, 'an Ingress that goes');
  api.intercept = intercept;
  await createSiteWith(client, request('j'));
  assert.deepEqual([ingress(), isTold()], [undefined, false]);

  refuse('/services/caravan-links', policy);
  await assert.rejects(createSiteWith(client, toIngress), /webhook "policy" denied/);
  api.intercept = intercept;
  await deleteSiteWith(client, 'j');
  assert.equal(ingress(), undefined);
});

test('who has no rights to Ingresses may give a site another way in, and delete it; an Ingress of somebody else stays', async () => {
  const { intercept } = api;
  const client = api.client();
  api.put('Namespace', 'k', { metadata: { name: 'k' } });
  api.put('Ingress', 'k', { metadata: { name: 'caravan-links' } });
  await createSiteWith(client, request('k'));
  await deleteSiteWith(client, 'k');
  assert.ok(api.get('Ingress', 'k', 'caravan-links'));
  api.intercept = (call, response) => {
    if (!call.path.includes('/ingresses')) return intercept(call, response);
    reply(response, 403, status(403, 'ingresses.networking.k8s.io is forbidden'));
    return true;
  };
  await createSiteWith(client, request('k'));
  await createSiteWith(client, request('k', { wayIn: 'NodePort' }));
  await deleteSiteWith(client, 'k');
  assert.equal(api.get('Deployment', 'k', 'caravan'), undefined);
});

test('a router that does not become ready is told with its reason when the time is up', async () => {
  api.intercept = () => false;
  api.put('Namespace', 'd', { metadata: { name: 'd' } });
  const state = { waiting: { reason: 'ErrImagePull', message: 'nope:1: not found' } };
  const labels = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/component': 'router' };
  api.put('Pod', 'd', {
    metadata: { name: 'caravan-1', labels },
    spec: { containers: [{ name: 'router', image: 'nope:1' }] },
    status: { containerStatuses: [{ name: 'router', state, restartCount: 0 }] },
  });
  await assert.rejects(createSiteWith(api.client(), request('d'), undefined, { timeoutMs: 300 }), {
    code: 'timeout',
    message: "The router's pod caravan-1 cannot pull its image nope:1: not found.",
  });
});

test('where the whole cluster may not be seen, the own namespace is, and it says so', async () => {
  await createSiteWith(api.client(), request('c'));
  api.intercept = ({ path }, response) => {
    if (path.includes('/namespaces/')) return false;
    const [, resource] = /\/([a-z]+)$/.exec(path)!;
    reply(
      response,
      403,
      status(403, `${resource} is forbidden: User "ada" cannot list resource "${resource}" in API group "" at the cluster scope`),
    );
    return true;
  };
  const found = await findSitesWith(api.client(), 'c');
  assert.deepEqual(found.namespaces, ['c']);
  assert.deepEqual(
    found.sites.map(({ name, ready }) => [name, ready]),
    [['c', true]],
  );
  assert.match(found.limited!, /^Only the namespace c is shown/);
});
