import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Service } from '@kubernetes/client-node';
import type { ServiceStatus } from '../../api/types.ts';
import { FORGET_AFTER_MS } from '../../routing/limits.ts';
import { merged } from '../merge-patch.testkit.ts';
import { nameOf } from '../objects.ts';
import { newMemory, planProxies, type ProxyInput, type ProxyMemory, type ProxyPlan } from './proxies.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');

function offered(address: string, ports = [8080], more: Partial<ServiceStatus> = {}): ServiceStatus {
  const destinations = ports.map((port) => ({ site: 'west', siteId: 'w', router: 'r', target: 'pod', port }));
  return { address, type: 'tcp', distribution: 'balanced', ports, destinations, ...more };
}
const unreachable = (address: string) => offered(address, [8080], { destinations: [], lastOffered: new Date(NOW).toISOString() });
/** What a router that has AMQP clients says of an address that they receive from. */
const received = (address: string) => offered(address, [8080], { type: 'amqp', ports: [] });
const foreign = (name: string): V1Service => ({ metadata: { name }, spec: { ports: [{ port: 8080 }] } });

/** Does what a plan says, as the cluster would. */
class World {
  services: V1Service[] = [];
  memory: ProxyMemory = newMemory(NOW);
  plan(network: ServiceStatus[], more: Partial<ProxyInput> = {}): ProxyPlan {
    const plan = planProxies(
      { network, services: this.services, offeredBy: new Map(), host: '0.0.0.0', now: NOW, ...more },
      this.memory,
    );
    this.services.push(...structuredClone(plan.create));
    for (const { name, change } of plan.patches)
      this.services = this.services.map((service) =>
        nameOf(service) === name ? (merged(service, change) as V1Service) : service,
      );
    const gone = new Set(plan.remove.map(({ name }) => name));
    this.services = this.services.filter((service) => !gone.has(nameOf(service)));
    return plan;
  }
  restart(now: number): void {
    this.memory = newMemory(now);
  }
}
const names = (plan: ProxyPlan) => ({
  create: plan.create.map((s) => s.metadata.name),
  update: plan.patches.map(({ name }) => name),
  remove: plan.remove.map(({ name }) => name),
});
const listeners = (plan: ProxyPlan) =>
  plan.listeners.map((listener) =>
    listener.kind === 'Listener' ? [listener.name, listener.spec.port, listener.spec.settings['servicePort']] : [],
  );
const NOTHING = { create: [], update: [], remove: [] };

test('a service of the network becomes a Service that points at the router, and listeners behind it', () => {
  const world = new World();
  const plan = world.plan([offered('backend', [80, 443])]);
  assert.deepEqual(plan.create, [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'backend',
        labels: {
          'app.kubernetes.io/name': 'caravan',
          'app.kubernetes.io/managed-by': 'caravan',
          'app.kubernetes.io/component': 'proxy',
        },
        annotations: { 'caravan/address': 'backend', 'caravan/type': 'tcp', 'caravan/tls-credentials': '' },
      },
      spec: {
        type: 'ClusterIP',
        selector: { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/component': 'router' },
        ports: [
          { name: 'port-80', port: 80, targetPort: 10_000, protocol: 'TCP' },
          { name: 'port-443', port: 443, targetPort: 10_001, protocol: 'TCP' },
        ],
      },
    },
  ]);
  assert.deepEqual(plan.listeners[0], {
    kind: 'Listener',
    name: 'service-backend-80',
    where: 'Service backend',
    spec: { routingKey: 'backend', host: '0.0.0.0', port: 10_000, type: 'tcp', settings: { servicePort: '80' } },
  });
  assert.deepEqual(names(world.plan([offered('backend', [80, 443])])), NOTHING);
});

test('listener ports stay the same when services come and go, and over a restart', () => {
  const world = new World();
  world.plan([offered('m')]);
  const before = listeners(world.plan([offered('a'), offered('m'), offered('z')]));
  assert.deepEqual(before, [
    ['service-a-8080', 10_001, '8080'],
    ['service-m-8080', 10_000, '8080'],
    ['service-z-8080', 10_002, '8080'],
  ]);
  world.restart(NOW);
  const after = world.plan([offered('0x'), offered('b'), offered('z'), offered('m'), offered('a')]);
  assert.deepEqual(
    listeners(after).filter(([name]) => name !== 'service-b-8080'),
    before,
  );
  assert.deepEqual(
    listeners(after).find(([name]) => name === 'service-b-8080'),
    ['service-b-8080', 10_003, '8080'],
  );
});

test('ports given to a Service that does not show up in the watch yet are not given again', () => {
  const memory = newMemory(NOW);
  const input = { services: [], offeredBy: new Map(), host: '0.0.0.0', now: NOW };
  assert.deepEqual(listeners(planProxies({ ...input, network: [offered('m')] }, memory)), [['service-m-8080', 10_000, '8080']]);
  assert.deepEqual(listeners(planProxies({ ...input, network: [offered('a'), offered('m')] }, memory)), [
    ['service-a-8080', 10_001, '8080'],
    ['service-m-8080', 10_000, '8080'],
  ]);
});

test('a service that changes its ports or protocol changes its Service, once', () => {
  const world = new World();
  world.plan([offered('backend')]);
  for (const status of [
    offered('backend', [8080, 9090]),
    offered('backend', [9090], { type: 'http' }),
    offered('backend', [9090], { type: 'udp' }),
  ]) {
    assert.deepEqual(names(world.plan([status])), { ...NOTHING, update: ['backend'] });
    assert.deepEqual(names(world.plan([status])), NOTHING);
  }
});

test('a service whose clients speak TLS has listeners with its Secret, also before the network is heard of again', () => {
  const credentials = ({ listeners: made }: ProxyPlan) =>
    made.map((listener) => (listener.kind === 'Listener' ? listener.spec.tlsCredentials : undefined));
  const world = new World();
  const plain = offered('backend');
  const secret = offered('backend', [8080], { listenerCredentials: 'backend-tls' });
  assert.deepEqual(credentials(world.plan([plain])), [undefined]);
  const plan = world.plan([secret]);
  assert.deepEqual([names(plan).update, credentials(plan)], [['backend'], ['backend-tls']]);
  assert.partialDeepStrictEqual(plan.listeners[0], { spec: { settings: { verifyClients: 'false' } } });
  world.restart(NOW);
  assert.deepEqual(credentials(world.plan([])), ['backend-tls']);
  const after = world.plan([plain]);
  assert.deepEqual([names(after).update, credentials(after)], [['backend'], [undefined]]);
  world.restart(NOW);
  assert.deepEqual(credentials(world.plan([])), [undefined]);
});

test("a withdrawn service's Service goes at once", () => {
  const world = new World();
  world.plan([offered('backend')]);
  const plan = world.plan([]);
  assert.deepEqual(names(plan), { ...NOTHING, remove: ['backend'] });
  assert.deepEqual(plan.listeners, []);
});

test('a service whose sites are out of reach keeps its Service until the network forgets it', () => {
  const world = new World();
  world.plan([offered('backend')]);
  const plan = world.plan([unreachable('backend')], { now: NOW + FORGET_AFTER_MS - 1 });
  assert.deepEqual(names(plan), NOTHING);
  assert.deepEqual([plan.listeners.length, plan.recheckAt], [1, undefined]);
  assert.deepEqual(names(world.plan([], { now: NOW + FORGET_AFTER_MS })).remove, ['backend']);
});

test('what is out of reach gets no new Service', () => {
  assert.deepEqual(names(new World().plan([unreachable('backend')])), NOTHING);
});

test('what AMQP clients receive from gets no Service, and is no problem', () => {
  const world = new World();
  const plan = world.plan([received('orders'), received('mc/news')]);
  assert.deepEqual([names(plan), plan.problems], [NOTHING, []]);
  // Their own Service stays for a while: whoever has its port may be out of reach.
  world.plan([offered('orders', [5672], { type: 'amqp' })]);
  const later = world.plan([received('orders')], { now: NOW + 1000 });
  assert.deepEqual([names(later), listeners(later)], [NOTHING, [['service-orders-5672', 10_000, '5672']]]);
  assert.equal(later.recheckAt, NOW + 1000 + FORGET_AFTER_MS);
  assert.deepEqual(names(world.plan([received('orders')], { now: NOW + 1000 + FORGET_AFTER_MS })).remove, ['orders']);
});

test('after a restart a Service waits for the network to be heard of, for as long as that remembers what is out of reach', () => {
  const world = new World();
  world.plan([offered('backend', [80], { type: 'http' })]);
  const later = NOW + 3_600_000;
  world.restart(later);
  const plan = world.plan([], { now: later });
  assert.deepEqual(names(plan), NOTHING);
  assert.deepEqual(listeners(plan), [['service-backend-80', 10_000, '80']]);
  assert.equal(plan.listeners[0]?.kind === 'Listener' && plan.listeners[0].spec.type, 'http');
  assert.equal(plan.recheckAt, later + FORGET_AFTER_MS);
  assert.deepEqual(names(world.plan([], { now: later + FORGET_AFTER_MS })).remove, ['backend']);
});

test('after a restart, what was seen once and then withdrawn goes at once', () => {
  const world = new World();
  world.plan([offered('backend')]);
  world.restart(NOW);
  world.plan([offered('backend')]);
  assert.deepEqual(names(world.plan([])).remove, ['backend']);
});

test("somebody's own Service is never touched: it is a problem", () => {
  const world = new World();
  world.services = [foreign('backend')];
  const plan = world.plan([offered('backend')]);
  assert.deepEqual(names(plan), NOTHING);
  assert.deepEqual(plan.listeners, []);
  assert.equal(plan.problems[0]?.where, 'Service backend');
  assert.match(plan.problems[0].message, /^A Service of this name is here already, .*rename the Service/);
  assert.deepEqual(names(world.plan([])), NOTHING);
});

test('the Service that is exposed itself, or belongs to a workload that is, is fine', () => {
  for (const [by, fine] of [
    ['Service backend', true],
    ['Deployment backend-v2', true],
    ['Connector c', true],
    ['Service api', false],
  ] as const) {
    const world = new World();
    world.services = [foreign('backend')];
    const plan = world.plan([offered('backend')], { offeredBy: new Map([['backend', new Set([by])]]) });
    assert.equal(plan.problems.length === 0, fine, by);
    assert.deepEqual(names(plan), NOTHING);
  }
});

test("Caravan's other Services are no proxies either", () => {
  const world = new World();
  const labels = {
    'app.kubernetes.io/name': 'caravan',
    'app.kubernetes.io/managed-by': 'caravan',
    'app.kubernetes.io/component': 'links',
  };
  world.services = [{ metadata: { name: 'caravan-links', labels } }];
  const plan = world.plan([offered('caravan-links')]);
  assert.deepEqual(names(plan), NOTHING);
  assert.equal(plan.problems.length, 1);
});

test('an address that no Service can have is one problem', () => {
  const plan = new World().plan([offered('Orders/v1', [80, 81]), offered('a'.repeat(64)), offered('fine')]);
  assert.deepEqual(
    plan.problems.map(({ where }) => where),
    ['Address Orders/v1', `Address ${'a'.repeat(64)}`],
  );
  assert.deepEqual(names(plan).create, ['fine']);
});

test('a Service that somebody bent is put right, over the version that was seen', () => {
  const world = new World();
  world.plan([offered('backend')]);
  const before = structuredClone(world.services[0]!.spec);
  Object.assign(world.services[0]!.spec!, { selector: {}, ports: [{ port: 8080, targetPort: 1 }] });
  world.services[0]!.metadata!.resourceVersion = '42';
  const plan = world.plan([offered('backend')]);
  assert.partialDeepStrictEqual(plan.patches, [{ name: 'backend', change: { metadata: { resourceVersion: '42' } } }]);
  assert.deepEqual(world.services[0]!.spec, before);
});
