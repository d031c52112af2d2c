import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Deployment, V1Pod, V1Service } from '@kubernetes/client-node';
import type { Resource } from '../../site/resources.ts';
import { offersOf, resolveSelectors } from './connectors.ts';
import type { Snapshot } from './snapshot.ts';

const tcp = { 'skupper.io/proxy': 'tcp' };

function pod(name: string, ready = true, more: Partial<V1Pod> = {}): V1Pod {
  return {
    metadata: { name, labels: { app: 'backend' } },
    spec: {
      containers: [{ name: 'main', ports: [{ name: 'http', containerPort: name === 'b-2' ? 9090 : 8080 }], readinessProbe: {} }],
    },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${name.at(-1)}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'main', ready, restartCount: 0, image: '', imageID: '', state: { running: {} } }],
    },
    ...more,
  };
}
function deployment(annotations: Record<string, string> = tcp, replicas = 2): V1Deployment {
  return {
    metadata: { name: 'backend', annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'backend' } },
      template: { spec: { containers: [{ name: 'main', ports: [{ containerPort: 8080 }] }] } },
    },
  };
}
function service(spec: V1Service['spec'], annotations: Record<string, string> = tcp, name = 'backend'): V1Service {
  return { metadata: { name, annotations }, spec };
}
const offers = (snapshot: Partial<Snapshot>) => offersOf({ services: [], workloads: [], pods: [], ...snapshot });
const ofDeployment = (object: V1Deployment, pods: V1Pod[]) => offers({ workloads: [{ kind: 'Deployment', object }], pods });
const targets = (found: ReturnType<typeof offersOf>) =>
  found.connectors.map((connector) => connector.targets?.map(({ name, host, port }) => `${name} ${host}:${port}`));

test('an annotated Deployment becomes a connector to its ready pods', () => {
  const { connectors, problems, offeredBy } = ofDeployment(deployment(), [pod('b-2'), pod('b-1'), pod('b-3', false)]);
  assert.deepEqual(connectors, [
    {
      kind: 'Connector',
      name: 'deployment-backend-8080',
      where: 'Deployment backend',
      spec: {
        routingKey: 'backend',
        port: 8080,
        type: 'tcp',
        includeNotReadyPods: false,
        settings: { distribution: 'balanced' },
      },
      targets: [
        { host: '10.0.0.1', port: 8080, name: 'b-1' },
        { host: '10.0.0.2', port: 8080, name: 'b-2' },
      ],
    },
  ]);
  assert.deepEqual(problems, []);
  assert.deepEqual([...offeredBy.get('backend')!], ['Deployment backend']);
});

test('without a ready pod it says why', () => {
  const pending = (pods: V1Pod[], replicas = 2) => ofDeployment(deployment(tcp, replicas), pods).connectors[0]?.pending;
  assert.equal(
    pending([pod('b-1', false), pod('b-2', false)]),
    '0 of 2 pods of Deployment backend are ready: b-1 fails its readiness probe',
  );
  assert.equal(pending([], 0), 'Deployment backend is scaled to 0');
  assert.equal(pending([]), 'Deployment backend has no pods');
  const waiting = (state: object, lastState: object = {}) => {
    const status = { name: 'main', ready: false, restartCount: 4, image: '', imageID: '', state, lastState };
    return pending([pod('b-1', false, { status: { phase: 'Pending', containerStatuses: [status] } })], 1);
  };
  assert.equal(
    waiting({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found.' } }),
    '0 of 1 pod of Deployment backend is ready: b-1 waits with CreateContainerConfigError: secret "x" not found',
  );
  assert.match(
    waiting({ waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode: 1 } })!,
    /b-1 crashes again and again \(exit code 1, 4 restarts\)$/,
  );
  assert.match(waiting({ waiting: { reason: 'ContainerCreating' } })!, /b-1 is starting$/);
});

test('pods that end or have ended are none', () => {
  const ending = pod('b-1', true, { metadata: { name: 'b-1', labels: { app: 'backend' }, deletionTimestamp: new Date() } });
  const done = pod('b-2', true, {
    status: { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'True' }], podIP: '10.0.0.2' },
  });
  assert.deepEqual(targets(ofDeployment(deployment(), [ending, done])), [[]]);
});

test('an annotated Service leads to its pods, a named port to each pod as it names it', () => {
  const named = service({
    selector: { app: 'backend' },
    ports: [
      { port: 80, targetPort: 'http' },
      { port: 81, targetPort: 8081 },
    ],
  });
  const found = offers({ services: [named], pods: [pod('b-1'), pod('b-2')] });
  assert.deepEqual(
    found.connectors.map(({ name }) => name),
    ['service-backend-80', 'service-backend-81'],
  );
  assert.deepEqual(targets(found), [
    ['b-1 10.0.0.1:8080', 'b-2 10.0.0.2:9090'],
    ['b-1 10.0.0.1:8081', 'b-2 10.0.0.2:8081'],
  ]);
  const sidecar = pod('b-1');
  const ports = [{ name: 'dns', containerPort: 53 }, { name: 'dns', containerPort: 5353, protocol: 'UDP' }]; // prettier-ignore
  sidecar.spec!.initContainers = [
    { name: 'init', ports: [{ name: 'dns', containerPort: 1, protocol: 'UDP' }] },
    { name: 'sidecar', restartPolicy: 'Always', ports },
  ];
  const dns = service({ selector: { app: 'backend' }, ports: [{ port: 53, targetPort: 'dns', protocol: 'UDP' }] }, { 'skupper.io/proxy': 'udp' }); // prettier-ignore
  assert.deepEqual(targets(offers({ services: [dns], pods: [sidecar] })), [['b-1 10.0.0.1:5353']], 'of a sidecar, by protocol');
  const missing = service({ selector: { app: 'backend' }, ports: [{ port: 80, targetPort: 'web' }] });
  assert.equal(
    offers({ services: [missing], pods: [pod('b-1')] }).connectors[0]?.pending,
    'no pod of Service backend has a port named web',
  );
});

test('annotations that choose requests become what a Connector says of them', () => {
  const chosen = { 'skupper.io/proxy': 'http', 'skupper.io/path-prefix': '/v2', 'skupper.io/weight': '3' };
  const own = service(
    { selector: { app: 'backend' }, ports: [{ port: 80 }] },
    { ...chosen, 'skupper.io/header': 'x-tenant: blue' },
  );
  const [connector] = offers({ services: [own] }).connectors;
  const settings = { distribution: 'balanced', header: 'x-tenant: blue', pathPrefix: '/v2', weight: '3' };
  assert.deepEqual(connector!.spec.settings, settings);
});

test('annotations about TLS become what a Connector says of it; a Service has a name for its certificates', () => {
  const trust = { ...tcp, 'skupper.io/tls-trust': 'ca', 'skupper.io/tls-client-cert': 'true' };
  const own = service({ selector: { app: 'backend' }, ports: [{ port: 443 }] }, { ...trust, 'skupper.io/tls-cert': 'keys' });
  own.metadata!.namespace = 'shop';
  const external = { type: 'ExternalName', externalName: 'db.example', ports: [{ port: 5432 }] };
  const specs = (object: V1Service) =>
    offers({ services: [object] }).connectors.map(({ spec: { tlsCredentials, useClientCert, settings } }) => {
      const { distribution: _, ...others } = settings;
      return { tlsCredentials, useClientCert, ...others };
    });
  assert.deepEqual(specs(own), [
    { tlsCredentials: 'ca', useClientCert: true, tlsServerName: 'backend.shop.svc', listenerCredentials: 'keys' },
  ]);
  assert.deepEqual(specs(service(external, { ...tcp, 'skupper.io/tls': 'true' })), [
    { tlsCredentials: undefined, useClientCert: undefined, tls: 'true', tlsServerName: 'db.example' },
  ]);
  own.metadata!.annotations!['skupper.io/tls-server-name'] = 'orders.example';
  assert.partialDeepStrictEqual(specs(own), [{ tlsServerName: 'orders.example' }]);
});

test('a Service without a selector is reached itself', () => {
  const plain = service({ clusterIP: '10.96.0.9', ports: [{ port: 80, targetPort: 8080 }] });
  assert.deepEqual(targets(offers({ services: [plain] })), [['10.96.0.9:80 10.96.0.9:80']]);
  const external = service({ type: 'ExternalName', externalName: 'db.example', ports: [{ port: 5432 }] });
  assert.deepEqual(targets(offers({ services: [external] })), [['db.example:5432 db.example:5432']]);
  const headless = service({ clusterIP: 'None', ports: [{ port: 80 }] });
  assert.match(offers({ services: [headless] }).connectors[0]!.pending!, /neither a selector nor a cluster IP/);
});

test('a Service that publishes pods before they are ready is taken at its word', () => {
  const early = service({ selector: { app: 'backend' }, publishNotReadyAddresses: true, ports: [{ port: 80 }] });
  assert.deepEqual(targets(offers({ services: [early], pods: [pod('b-1', false)] })), [['b-1 10.0.0.1:80']]);
});

test('annotations that make no sense are a problem that names the object', () => {
  const found = ofDeployment(deployment({ 'skupper.io/proxy': 'tpc' }), [pod('b-1')]);
  assert.deepEqual(found.connectors, []);
  assert.deepEqual(found.problems, [
    { where: 'Deployment backend', message: 'skupper.io/proxy is "tpc"; it must be one of tcp, http, http2, udp, amqp.' },
  ]);
});

test("Caravan's own Services are never offers", () => {
  const own = service({ ports: [{ port: 80 }] });
  own.metadata!.labels = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/managed-by': 'caravan' };
  assert.deepEqual(offers({ services: [own] }).connectors, []);
});

test('a Connector with a selector is resolved, one without stays as it is', () => {
  const connector = (selector?: string, includeNotReadyPods = false): Resource => ({
    kind: 'Connector',
    name: 'c',
    where: 'ConfigMap x',
    spec: { routingKey: 'orders', port: 5432, type: 'tcp', includeNotReadyPods, settings: {}, ...(selector && { selector }) },
  });
  const pods = [pod('b-1'), pod('b-2', false)];
  const found = offers({});
  const [one, two, plain, bad] = resolveSelectors(
    [connector('app=backend'), connector('app=backend', true), connector(), connector('a b')],
    pods,
    found,
  );
  const names = (resource: Resource | undefined) =>
    resource?.kind === 'Connector' ? resource.targets?.map(({ name }) => name) : undefined;
  assert.deepEqual(names(one), ['b-1']);
  assert.deepEqual(names(two), ['b-1', 'b-2']);
  assert.equal(names(plain), undefined);
  assert.deepEqual(names(bad), []);
  assert.match(found.problems[0]!.message, /spec\.selector is "a b"; write labels/);
  assert.deepEqual([...found.offeredBy.keys()], ['orders']);
});
