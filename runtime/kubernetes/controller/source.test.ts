import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, afterEach, before, test } from 'node:test';
import { TestAuthority } from '../../../test/support/certificates.ts';
import type { ServiceStatus } from '../../api/types.ts';
import { silentLog } from '../../log.ts';
import type { WishedState } from '../../site/source.ts';
import { FakeApi, reply, status } from '../fake-api.testkit.ts';
import { REREAD_EVERY_MS } from './named-secrets.ts';
import { NamespaceSource } from './source.ts';

let api: FakeApi;
let source: NamespaceSource | undefined;
before(async () => {
  api = await FakeApi.start();
});
after(() => api.close());
afterEach(async () => {
  await source?.close();
  api.intercept = () => false;
});

/** A network that a test changes at will. */
class Network {
  list: ServiceStatus[] = [];
  private readonly listeners = new Set<() => void>();
  services = () => this.list;
  onServicesChange = (changed: () => void) => {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  };
  set(...addresses: string[]): void {
    this.list = addresses.map((address) => ({
      address,
      type: 'tcp',
      distribution: 'balanced',
      ports: [8080],
      destinations: [{ site: 'east', siteId: 'e', router: 'r', target: 'pod', port: 8080 }],
    }));
    this.tell();
  }
  tell(): void {
    for (const changed of this.listeners) changed();
  }
}

async function start(namespace: string) {
  const view = new Network();
  const states: WishedState[] = [];
  source = new NamespaceSource({ client: api.client(), namespace, hostIp: '192.0.2.7', view, log: silentLog });
  await source.watch((state) => states.push(state));
  await until(() => states.length > 0 && api.watching >= 6);
  const now = () => states.at(-1)!;
  const names = () =>
    now()
      .resources.map(({ kind, name }) => `${kind} ${name}`)
      .join();
  return { view, states, now, names };
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `not within 5 s: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const backend = (annotations: Record<string, string>) => ({
  metadata: { name: 'backend', annotations },
  spec: {
    selector: { matchLabels: { app: 'backend' } },
    template: { spec: { containers: [{ ports: [{ containerPort: 8080 }] }] } },
  },
});

test('an annotation becomes a connector and goes with it', async () => {
  const { now, names } = await start('a');
  assert.equal(names(), '');
  const conditions = [{ type: 'Ready', status: 'True' }];
  api.put('Pod', 'a', { metadata: { name: 'b-1', labels: { app: 'backend' } }, status: { podIP: '10.0.0.1', conditions } });
  api.put('Deployment', 'a', backend({ 'skupper.io/proxy': 'tcp' }));
  await until(() => names() === 'Connector deployment-backend-8080');
  const [connector] = now().resources;
  assert.deepEqual(connector?.kind === 'Connector' && connector.targets, [{ host: '10.0.0.1', port: 8080, name: 'b-1' }]);
  api.put('Deployment', 'a', backend({}));
  await until(() => names() === '');
});

test('a service of the network gets its Service and listener, and loses both when it is withdrawn', async () => {
  const { view, names } = await start('b');
  view.set('orders');
  await until(() => names() === 'Listener service-orders-8080');
  await until(() => api.get('Service', 'b', 'orders') !== undefined);
  view.set();
  await until(() => api.get('Service', 'b', 'orders') === undefined && names() === '');
});

test('a service that changes its port or protocol has the new one only, written once', async () => {
  const { view, now } = await start('ports');
  const ports = () => (api.get('Service', 'ports', 'orders')?.['spec'] as { ports: object[] } | undefined)?.ports;
  const become = async (change: Partial<ServiceStatus>, wanted: object) => {
    view.list = view.list.map((known) => ({ ...known, ...change }));
    view.tell();
    await until(() => isDeepStrictEqual(ports(), [wanted]));
  };
  view.set('orders');
  await become({}, { name: 'port-8080', port: 8080, targetPort: 10_000, protocol: 'TCP' });
  await become({ ports: [9090] }, { name: 'port-9090', port: 9090, targetPort: 10_001, protocol: 'TCP' });
  await become({ type: 'udp' }, { name: 'port-9090', port: 9090, targetPort: 10_001, protocol: 'UDP' });
  // Whatever else happens in the namespace.
  api.put('Deployment', 'ports', backend({ 'skupper.io/proxy': 'tcp' }));
  await until(() => now().resources.some(({ kind }) => kind === 'Connector'));
  assert.equal(api.calls.filter(({ method, path }) => method === 'PATCH' && path.includes('/ports/')).length, 2);
});

test('a Service that somebody writes to just as it is withdrawn is looked at again', async () => {
  const { view } = await start('delete');
  view.set('orders');
  await until(() => api.get('Service', 'delete', 'orders') !== undefined);
  let deletions = 0;
  api.intercept = ({ method }) => {
    if (method === 'DELETE' && deletions++ === 0)
      api.put('Service', 'delete', { ...api.get('Service', 'delete', 'orders')!, note: 'written' });
    return false;
  };
  view.set();
  await until(() => api.get('Service', 'delete', 'orders') === undefined);
  assert.ok(deletions > 1);
});

test("somebody's own Service stays as it is and is a problem until it goes", async () => {
  api.put('Service', 'c', { metadata: { name: 'orders' }, spec: { ports: [{ port: 1 }] } });
  const { view, now } = await start('c');
  view.set('orders');
  await until(() => now().problems.length === 1);
  assert.equal(now().problems[0]?.where, 'Service orders');
  api.remove('Service', 'c', 'orders');
  await until(() => now().problems.length === 0 && api.get('Service', 'c', 'orders')?.metadata?.labels !== undefined);
});

test('ConfigMaps hold resources; a slip in one keeps its last good version', async () => {
  const configMap = (yaml: string) => ({
    metadata: { name: 'mine', labels: { 'skupper.io/resource': '' } },
    data: { 'a.yaml': yaml, note: 'not YAML: [' },
  });
  const listener = 'apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: l}\nspec: {routingKey: orders, port: 5432}';
  const { now, names } = await start('d');
  api.put('ConfigMap', 'd', configMap(listener));
  await until(() => names() === 'Listener l');
  api.put('ConfigMap', 'd', configMap('kind: ['));
  await until(() => now().problems.length === 1);
  assert.equal(names(), 'Listener l');
  assert.match(now().problems[0]!.where, /^ConfigMap mine\/a\.yaml:1$/);
});

test('where links come in is what the cluster made of the Service', async () => {
  const links = (spec: object, ingress?: object[]) => ({
    metadata: { name: 'caravan-links', creationTimestamp: new Date().toISOString() },
    spec: { ports: [{ port: 8443, nodePort: 30443 }], ...spec },
    status: { loadBalancer: { ingress } },
  });
  const { now } = await start('e');
  assert.deepEqual(now().access, []);
  api.put('Service', 'e', links({ type: 'NodePort' }));
  await until(() => now().access?.length === 1);
  assert.deepEqual(now().access, [{ host: '192.0.2.7', port: 30443, way: 'NodePort' }]);
  api.put('Service', 'e', links({ type: 'LoadBalancer' }));
  await until(() => now().access?.length === 0);
  api.put('Service', 'e', links({ type: 'LoadBalancer' }, [{ ip: '203.0.113.7' }, { hostname: 'lb.example' }]));
  await until(() => now().access?.length === 2);
  assert.deepEqual(now().access, [
    { host: '203.0.113.7', port: 8443, way: 'LoadBalancer' },
    { host: 'lb.example', port: 8443, way: 'LoadBalancer' },
  ]);
});

test('a problem of an object is told as an Event of it', async () => {
  await start('told');
  api.put('Deployment', 'told', backend({ 'skupper.io/proxy': 'tpc' }));
  const told = () => api.calls.find(({ method, path }) => method === 'POST' && path === '/api/v1/namespaces/told/events')?.body;
  await until(() => told() !== undefined);
  assert.partialDeepStrictEqual(told(), {
    involvedObject: { kind: 'Deployment', name: 'backend' },
    message: 'skupper.io/proxy is "tpc"; it must be one of tcp, http, http2, udp, amqp.',
  });
});

const SITE = {
  metadata: { name: 'caravan-site', labels: { 'skupper.io/resource': 'true' } },
  data: { 'site.yaml': 'apiVersion: skupper.io/v2alpha1\nkind: Site\nmetadata: {name: shop}' },
};

test('the site waits for what cannot be read at first: it starts under its own name', async () => {
  api.put('ConfigMap', 'late', SITE);
  let refusals = 0;
  api.intercept = ({ path, query }, response) => {
    if (!path.endsWith('/late/configmaps') || query.has('watch') || refusals++ > 0) return false;
    reply(response, 429, status(429, 'too many requests'));
    return true;
  };
  const { states, names } = await start('late');
  assert.deepEqual([states.length, names()], [1, 'Site shop']);
  assert.ok(refusals > 1);
});

test('a defect costs a plan, and what was told before holds on', async () => {
  const { view, now, names } = await start('defect');
  view.set('orders');
  await until(() => names() === 'Listener service-orders-8080');
  const { services } = view;
  view.services = () => assert.fail('impossible');
  view.tell();
  await until(() => now().problems.length === 1);
  assert.deepEqual(now().problems, [
    { where: 'the namespace', message: 'It cannot be followed because of a defect: impossible. The log tells more.' },
  ]);
  assert.equal(names(), 'Listener service-orders-8080');
  view.services = services;
  view.set('orders', 'more');
  await until(() => now().problems.length === 0);
  assert.equal(names(), 'Listener service-more-8080,Listener service-orders-8080');
});

test('a right that is missing is a problem, not silence', async () => {
  api.put('ConfigMap', 'f', SITE);
  api.intercept = ({ path }, response) => {
    if (!path.endsWith('/pods')) return false;
    reply(
      response,
      403,
      status(403, 'pods is forbidden: User "ada" cannot list resource "pods" in API group "" in the namespace "f"'),
    );
    return true;
  };
  const states: WishedState[] = [];
  source = new NamespaceSource({ client: api.client(), namespace: 'f', view: new Network(), log: silentLog });
  await source.watch((state) => states.push(state));
  await until(() => states.length > 0);
  assert.match(states[0]!.problems[0]!.message, /^The user ada may not list pods in the namespace f/);
  assert.deepEqual(states[0]!.resources.map(({ name }) => name), ['shop']); // prettier-ignore
});

test('a Service that cannot be written is a problem', async () => {
  const { view, now } = await start('g');
  api.intercept = ({ method }, response) => {
    if (method !== 'POST') return false;
    reply(response, 403, status(403, 'services "orders" is forbidden: exceeded quota: small, requested: services=1'));
    return true;
  };
  view.set('orders');
  await until(() => now().problems.length === 1);
  assert.deepEqual(now().problems, [
    {
      where: 'Namespace g',
      message: 'The quota small allows no more Services, so pods of this namespace do not reach orders by name; raise it.',
    },
  ]);
});

test('a Secret that a Listener names is read, again when it has changed, and no other is', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const data = (text: string) => ({ 'tls.crt': Buffer.from(text).toString('base64'), other: 'AAAA' });
  api.put('Secret', 'tls', { metadata: { name: 'unrelated' }, data: data('-----BEGIN X') });
  api.put('Secret', 'tls', { metadata: { name: 'keys' }, data: data('-----BEGIN A') });
  const { now } = await start('tls');
  const listener =
    '{apiVersion: skupper.io/v2alpha1, kind: Listener, metadata: {name: a}, spec: {routingKey: a, port: 1, tlsCredentials: keys}}';
  api.put('ConfigMap', 'tls', {
    metadata: { name: 'resources', labels: { 'skupper.io/resource': '' } },
    data: { 'a.yaml': listener },
  });
  const certificate = () => now().resources.flatMap((one) => (one.kind === 'Secret' ? [one.spec['tls.crt']] : []));
  await until(() => certificate()[0] === '-----BEGIN A');
  assert.deepEqual(
    now().resources.map(({ kind, where }) => `${kind} of ${where}`),
    ['Listener of ConfigMap resources/a.yaml:1', 'Secret of Secret keys'],
  );
  api.put('Secret', 'tls', { metadata: { name: 'keys' }, data: data('-----BEGIN B') });
  context.mock.timers.tick(REREAD_EVERY_MS);
  await until(() => certificate()[0] === '-----BEGIN B');
  // One that is no certificate changes nothing but is said.
  api.put('Secret', 'tls', { metadata: { name: 'keys' }, data: data('hello') });
  context.mock.timers.tick(REREAD_EVERY_MS);
  await until(() => now().problems.length > 0);
  assert.deepEqual(now().problems, [{ where: 'Secret keys', message: 'Secret keys: data.tls.crt must be PEM.' }]);
  assert.equal(certificate()[0], '-----BEGIN B');
  const secrets = api.calls.flatMap(({ path }) => (path.includes('/namespaces/tls/secrets') ? [path] : []));
  assert.deepEqual([...new Set(secrets)], ['/api/v1/namespaces/tls/secrets/keys']);
});

test('Secrets that annotations name are read, here and where the network says so', async () => {
  const keys = { 'tls.crt': Buffer.from('-----BEGIN A').toString('base64') };
  for (const name of ['ca', 'orders-tls']) api.put('Secret', 'named', { metadata: { name }, data: keys });
  const { view, now } = await start('named');
  const annotations = { 'skupper.io/proxy': 'tcp', 'skupper.io/tls-trust': 'ca', 'skupper.io/tls-server-name': 'backend' };
  api.put('Deployment', 'named', backend(annotations));
  view.set('orders');
  view.list = view.list.map((known) => ({ ...known, listenerCredentials: 'orders-tls' }));
  view.tell();
  const secrets = () => now().resources.flatMap(({ kind, name }) => (kind === 'Secret' ? [name] : []));
  await until(() => secrets().sort().join() === 'ca,orders-tls');
  const listener = now().resources.find(({ kind }) => kind === 'Listener');
  assert.equal(listener?.kind === 'Listener' && listener.spec.tlsCredentials, 'orders-tls');
});

test('a Service whose servers speak TLS stays at the router while that starts anew and reads the certificate', async () => {
  const authority = await TestAuthority.make();
  const { certificate, key } = await authority.issue(['backend']);
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  api.put('Secret', 'h', { metadata: { name: 'keys' }, data: { 'tls.crt': encoded(certificate), 'tls.key': encoded(key) } });
  const annotations = { 'skupper.io/proxy': 'tcp', 'skupper.io/tls': 'insecure', 'skupper.io/tls-cert': 'keys' };
  const spec = { selector: { app: 'backend' }, clusterIP: '10.96.0.7', ports: [{ port: 443, targetPort: 8443 }] };
  api.put('Service', 'h', { metadata: { name: 'backend', annotations }, spec });
  const { view } = await start('h');
  view.set('backend');
  const intercepts = [{ how: 'take-over' as const, site: 'ada', siteId: 'a', target: '127.0.0.1:3000', port: 443 }];
  view.list = view.list.map((known) => ({ ...known, intercepts }));
  view.tell();
  const current = () => api.get('Service', 'h', 'backend') as unknown as { spec: { selector: object } };
  await until(() => 'app.kubernetes.io/name' in current().spec.selector);
  const diverted = structuredClone(api.get('Service', 'h', 'backend')!);
  await source!.close();
  api.put('Service', 'h', diverted);
  const callsBefore = api.calls.length;
  const { now } = await start('h');
  const listener = now().resources.find(({ kind }) => kind === 'Listener');
  assert.equal(listener?.kind === 'Listener' && listener.spec.tlsCredentials, 'keys');
  assert.deepEqual(
    api.calls.slice(callsBefore).filter(({ method }) => method === 'PATCH'),
    [],
  );
});

test('a Service that points at the router is given back at its end, whoever writes to it in that moment', async () => {
  const service = { metadata: { name: 'backend', annotations: { 'skupper.io/proxy': 'tcp' } }, spec: { selector: { app: 'backend' }, clusterIP: '10.96.0.7', ports: [{ port: 80, targetPort: 8080 }] } }; // prettier-ignore
  api.put('Service', 'g', service);
  const { view } = await start('g');
  view.set('backend');
  view.list = view.list.map((known) => ({ ...known, intercepts: [{ how: 'take-over', site: 'ada', siteId: 'a', target: '127.0.0.1:3000', port: 80 }] })); // prettier-ignore
  view.tell();
  const spec = () => api.get('Service', 'g', 'backend')?.['spec'] as { selector: object; ports: { targetPort: number }[] };
  await until(() => 'app.kubernetes.io/name' in spec().selector);
  let refused = false;
  api.intercept = ({ method, path }, response) => {
    if (method !== 'PATCH' || refused || !path.endsWith('/backend')) return false;
    refused = true;
    reply(response, 409, status(409, 'the object has been modified'));
    return true;
  };
  const closing = source!.close();
  await until(() => 'app' in spec().selector);
  assert.deepEqual([refused, spec().selector, spec().ports[0]!.targetPort], [true, { app: 'backend' }, 8080]);
  await closing;
});
