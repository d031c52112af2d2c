import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FakeApi, reply, status } from './fake-api.testkit.ts';
import { podEnvironmentWith } from './pod-environment.ts';
import { podMakersWith } from './pod-makers.ts';
import type { PodEnvironmentRequest } from './types.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

let api: FakeApi;
let namespace: string;
let count = 0;
before(async () => {
  api = await FakeApi.start();
});
after(() => api.close());
beforeEach(() => {
  namespace = `n${++count}`;
});

function deploy(container: object, more: object[] = [], annotations: object = {}): void {
  api.put('Deployment', namespace, {
    metadata: { name: 'backend' },
    spec: {
      selector: { matchLabels: { app: 'backend' } },
      template: { metadata: { annotations }, spec: { containers: [{ name: 'app', ...container }, ...more] } },
    },
  });
}

function ask(more: Partial<PodEnvironmentRequest> = {}) {
  return podEnvironmentWith(api.client(), { context: 'fake', namespace, kind: 'Deployment', name: 'backend', ...more });
}

describe('the environment of a workload', () => {
  test('has what its template says, and what that refers to', async () => {
    api.put('ConfigMap', namespace, { metadata: { name: 'app' }, data: { LEVEL: 'debug', COLOUR: 'blue' } });
    const env = [
      { name: 'HOST', value: 'db' },
      { name: 'URL', value: 'postgres://$(HOST)/$(COLOUR)?cost=$$5&$$(HOST)$(NOT' },
      { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'app', key: 'COLOUR' } } },
      { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'app', key: 'gone', optional: true } } },
      { name: 'EMPTY' },
    ];
    deploy({ envFrom: [{ prefix: 'APP_', configMapRef: { name: 'app' } }], env });
    assert.deepEqual(await ask(), {
      variables: {
        APP_LEVEL: 'debug',
        APP_COLOUR: 'blue',
        HOST: 'db',
        // Only what stands before it in `env` is known there.
        URL: 'postgres://db/$(COLOUR)?cost=$5&$(HOST)$(NOT',
        COLOUR: 'blue',
        EMPTY: '',
      },
      secrets: [],
      missing: [],
    });
  });

  test('has nothing of Secrets unless they are asked for, and names what is left out', async () => {
    api.put('Secret', namespace, { metadata: { name: 'db' }, data: { password: base64('geheim'), user: base64('ada') } });
    deploy({
      envFrom: [{ prefix: 'DB_', secretRef: { name: 'db' } }],
      env: [{ name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
    });
    const callsBefore = api.calls.length;
    assert.deepEqual(await ask(), { variables: {}, secrets: ['all of Secret db', 'PGPASSWORD (Secret db)'], missing: [] });
    assert.ok(
      api.calls.slice(callsBefore).every(({ path }) => !path.includes('secrets')),
      'they are not even read',
    );
    assert.deepEqual((await ask({ secrets: true })).variables, { DB_password: 'geheim', DB_user: 'ada', PGPASSWORD: 'geheim' });
  });

  test('has the fields of a pod that runs', async () => {
    const fields = ['metadata.name', 'status.podIP', "metadata.labels['app']", 'spec.nodeName'];
    deploy({ env: fields.map((fieldPath, at) => ({ name: `F${at}`, valueFrom: { fieldRef: { fieldPath } } })) });
    assert.deepEqual((await ask()).missing[0], 'F0 is metadata.name of a pod, and none runs');
    const pod = (name: string, podIP: string, isReady: string) => ({
      metadata: { name, labels: { app: 'backend' } },
      spec: {},
      status: { phase: 'Running', podIP, conditions: [{ type: 'Ready', status: isReady }] },
    });
    api.put('Pod', namespace, pod('backend-1', '10.0.0.1', 'False'));
    api.put('Pod', namespace, pod('backend-2', '10.0.0.2', 'True'));
    const { variables, missing } = await ask();
    assert.deepEqual(variables, { F0: 'backend-2', F1: '10.0.0.2', F2: 'backend' });
    assert.deepEqual(missing, ['F3 is spec.nodeName of a pod, and it has none']);
  });

  test('says what cannot be had, and gives the rest', async () => {
    deploy({
      envFrom: [{ configMapRef: { name: 'gone' } }, { configMapRef: { name: 'gone', optional: true } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'gone', key: 'a' } } },
        { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'B', value: 'b' },
      ],
    });
    const { variables, missing } = await ask();
    assert.deepEqual(variables, { B: 'b' });
    assert.deepEqual(missing, [
      'there is no ConfigMap gone',
      'A is a of ConfigMap gone, which is not there',
      'CPUS is limits.cpu, which only a pod has',
    ]);
  });

  test('names what may not be read, and what refers to what is left out', async () => {
    api.intercept = ({ path }, response) => {
      if (!path.includes('/secrets/')) return false;
      reply(response, 403, status(403, 'secrets "db" is forbidden: User "ada" cannot get resource "secrets" in API group "" in the namespace "shop"')); // prettier-ignore
      return true;
    };
    const password = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } };
    deploy({ env: [password, { name: 'URL', value: 'postgres://ada:$(PASSWORD)@db' }, { name: 'B', value: 'b' }] });
    const { variables, missing } = await ask({ secrets: true });
    api.intercept = () => false;
    assert.deepEqual(variables, { URL: 'postgres://ada:$(PASSWORD)@db', B: 'b' });
    assert.match(missing[0]!, /^The user ada may not get secrets in the namespace shop/);
    assert.deepEqual(missing.slice(1), [
      'PASSWORD is password of Secret db, which is not there',
      'URL refers to PASSWORD, which is left out',
    ]);
  });

  test('is that of the container that is meant', async () => {
    const proxy = { name: 'proxy', env: [{ name: 'WHO', value: 'proxy' }] };
    const app = { env: [{ name: 'WHO', value: 'app' }] };
    deploy(app, [proxy]);
    assert.equal((await ask()).variables['WHO'], 'app');
    assert.equal((await ask({ container: 'proxy' })).variables['WHO'], 'proxy');
    await assert.rejects(ask({ container: 'x' }), { code: 'not-found', message: 'Deployment backend has no container x; it has app, proxy.' }); // prettier-ignore
    deploy(app, [proxy], { 'kubectl.kubernetes.io/default-container': 'proxy' });
    assert.equal((await ask()).variables['WHO'], 'proxy');
  });

  test('of a workload that is gone is one sentence', async () => {
    const message = `There is no Deployment backend in the namespace ${namespace} (context fake).`;
    await assert.rejects(ask(), { code: 'not-found', message });
  });
});

test('what makes pods is listed by name, without what is ours', async () => {
  const labels = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/managed-by': 'caravan' };
  api.put('Deployment', namespace, { metadata: { name: 'caravan', labels } });
  api.put('Deployment', namespace, { metadata: { name: 'web' } });
  api.put('StatefulSet', namespace, { metadata: { name: 'db' } });
  assert.deepEqual(await podMakersWith(api.client(), namespace), [
    { kind: 'StatefulSet', name: 'db' },
    { kind: 'Deployment', name: 'web' },
  ]);
});
