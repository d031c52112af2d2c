import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1ConfigMap, V1Service } from '@kubernetes/client-node';
import type { Intercept, ServiceStatus } from '../../api/types.ts';
import { merged } from '../merge-patch.testkit.ts';
import { ORIGINAL_ANNOTATION, ROUTER_LABELS } from '../names.ts';
import { asWritten } from './diverted-service.ts';
import { LEASE_MS, LINGER_MS } from './diverted-services.ts';
import { makePlan, newPlanMemory, type Plan } from './plan.ts';
import { ResourceMaps } from './resource-maps.ts';
import type { Workload } from './snapshot.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const ANNOTATIONS = { 'skupper.io/proxy': 'http' };
const POD = {
  metadata: { name: 'backend-1', labels: { app: 'backend' } },
  spec: { containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080 }] }] },
  status: { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
};

type Port = { port: number; targetPort?: number | string; protocol?: string; name?: string };

function serviceOf(ports: Port[] = [{ port: 80, targetPort: 8080 }], more: object = {}, annotations: object = {}): V1Service {
  return {
    metadata: { name: 'backend', annotations: { ...ANNOTATIONS, ...annotations }, resourceVersion: '1' },
    spec: { selector: { app: 'backend' }, clusterIP: '10.96.0.7', ports, ...more },
  };
}

/** The network as the router knows it. */
function known(how?: Intercept): ServiceStatus[] {
  const intercepts = how && [{ how, site: 'ada', siteId: 'a', target: '127.0.0.1:3000' }];
  return [
    {
      address: 'backend',
      type: 'http',
      distribution: 'balanced',
      ports: [80],
      destinations: [],
      ...(intercepts && { intercepts }),
    },
  ];
}

/** A namespace that does what plans say, as the API server would. */
class World {
  service: V1Service;
  now = NOW;
  network = known();
  memory = newPlanMemory(NOW);
  readonly maps = new ResourceMaps();
  /** Secrets with a certificate. */
  secrets: string[] = [];

  constructor(service = serviceOf()) {
    this.service = service;
  }

  plan(): Plan {
    const { now, network } = this;
    const namespace = {
      services: [this.service],
      pods: [POD],
      workloads: [],
      configMaps: [],
      hostIp: undefined,
      listenHost: '::',
    };
    const hasCertificate = (secret: string) => this.secrets.includes(secret);
    const plan = makePlan({ ...namespace, network, hasCertificate, now }, this.memory, this.maps);
    for (const { change } of plan.writes.patches) {
      assert.equal((change as V1Service).metadata?.resourceVersion, this.service.metadata?.resourceVersion);
      this.service = merged(this.service, change) as V1Service;
    }
    return plan;
  }

  get selector(): object | undefined {
    return this.service.spec?.selector;
  }

  get targetPorts(): (number | string | undefined)[] {
    return (this.service.spec?.ports ?? []).map(({ targetPort }) => targetPort);
  }
}

const listeners = ({ state }: Plan) =>
  state.resources.flatMap((resource) =>
    resource.kind === 'Listener' ? [[resource.name, resource.spec.port, resource.spec.settings['servicePort']]] : [],
  );
const targets = ({ state }: Plan) =>
  state.resources.flatMap((resource) => (resource.kind === 'Connector' ? (resource.targets ?? []) : [])).map(({ name }) => name);

describe('a Service that somebody stands in for', () => {
  for (const how of ['take-over', 'take-some', 'listen-in'] as const)
    test(`points at the router where it is to ${how}, and the pods stay its servers`, () => {
      const world = new World();
      world.network = known(how);
      const plan = world.plan();
      assert.deepEqual(world.selector, ROUTER_LABELS);
      assert.deepEqual(world.targetPorts, [10_000]);
      assert.deepEqual(listeners(plan), [['diverted-backend-80', 10_000, '80']]);
      assert.deepEqual(targets(world.plan()), ['backend-1']);
      assert.deepEqual(world.plan().writes.patches, [], 'once');
    });

  test('is given back as it was when the lease has run out, and is served a while longer', () => {
    const world = new World();
    const before = structuredClone(world.service);
    world.network = known('take-over');
    world.plan();
    // Nothing happens for a while.
    world.now += 60_000;
    world.network = known();
    assert.equal(world.plan().recheckAt, world.now + LEASE_MS);
    assert.deepEqual(world.selector, ROUTER_LABELS, 'not at once: it may be back in a moment');
    world.now += LEASE_MS;
    world.plan();
    assert.deepEqual(world.service, before);
    assert.equal(listeners(world.plan()).length, 1);
    world.now += LINGER_MS;
    assert.deepEqual(listeners(world.plan()), []);
  });

  test('is found again by a router that has restarted, and given back where nobody stands in any more', () => {
    const world = new World();
    world.network = known('take-over');
    world.plan();
    world.memory = newPlanMemory(NOW + 1000);
    world.now += 1000;
    world.network = [];
    const plan = world.plan();
    assert.deepEqual(listeners(plan), [['diverted-backend-80', 10_000, '80']], 'callers are served meanwhile, at the same port');
    assert.deepEqual(targets(plan), ['backend-1']);
    world.now += LEASE_MS;
    world.plan();
    assert.deepEqual(world.selector, { app: 'backend' });
  });

  test('has what its owner writes meanwhile', () => {
    const world = new World();
    world.network = known('take-over');
    world.plan();
    // As `kubectl apply` merges it.
    world.service.spec!.selector = { ...ROUTER_LABELS, app: 'backend', tier: 'web' };
    world.service.spec!.ports![0]!.targetPort = 'web';
    world.plan();
    assert.deepEqual([world.selector, world.targetPorts], [ROUTER_LABELS, [10_000]], 'and still points at the router');
    assert.deepEqual(asWritten(world.service).spec?.selector, { app: 'backend', tier: 'web' });
    world.network = known();
    world.plan();
    world.now += LEASE_MS;
    world.plan();
    assert.deepEqual([world.selector, world.targetPorts], [{ app: 'backend', tier: 'web' }, ['web']]);
    assert.equal(world.service.metadata?.annotations?.[ORIGINAL_ANNOTATION], undefined);
  });

  test('is given back, and served a while longer, when its owner adds what cannot be served', () => {
    const world = new World(serviceOf(undefined, {}, { 'skupper.io/port': '80' }));
    world.network = known('take-over');
    world.plan();
    world.service.spec!.ports!.push({ port: 9090, targetPort: 9090 });
    const { state } = world.plan();
    assert.match(state.problems[0]!.message, /^The network does not carry its port 9090/);
    assert.deepEqual([world.selector, world.targetPorts], [{ app: 'backend' }, [8080, 9090]]);
    assert.equal(listeners(world.plan()).length, 1);
  });

  test('whose annotation somebody took away leads to no router, and says so', () => {
    const world = new World();
    world.network = known('take-over');
    world.plan();
    delete world.service.metadata!.annotations![ORIGINAL_ANNOTATION];
    const { state, writes } = world.plan();
    assert.deepEqual(writes.patches, []);
    assert.match(state.problems[0]!.message, /^It points at Caravan's router, and nobody remembers/);
    assert.deepEqual(targets(world.plan()), []);
  });

  test('is given back when it is not exposed any more', () => {
    const world = new World();
    world.network = known('take-over');
    world.plan();
    delete world.service.metadata!.annotations!['skupper.io/proxy'];
    world.plan();
    assert.deepEqual(world.selector, { app: 'backend' });
  });

  test('keeps a port of its own for each of its ports', () => {
    const world = new World(serviceOf([{ port: 80, targetPort: 8080, name: 'web' }, { port: 443, targetPort: 8443, name: 'tls' }])); // prettier-ignore
    world.network = known('take-over');
    assert.deepEqual(listeners(world.plan()), [
      ['diverted-backend-80', 10_000, '80'],
      ['diverted-backend-443', 10_001, '443'],
    ]);
  });

  const trust = { 'skupper.io/tls-trust': 'ca' };
  const credentials = ({ state }: Plan) =>
    state.resources.flatMap((resource) => (resource.kind === 'Listener' ? [resource.spec.tlsCredentials] : []));

  test('whose servers speak TLS has callers who do, as soon as there is a certificate for them', () => {
    const world = new World(serviceOf(undefined, {}, { ...trust, 'skupper.io/tls-cert': 'keys' }));
    world.network = known('take-over');
    const { state, secrets, writes } = world.plan();
    assert.deepEqual([secrets, writes.patches], [['keys'], []]);
    assert.match(
      state.problems[0]!.message,
      /^Its servers speak TLS, and there is no certificate for their callers in a Secret named keys, so callers/,
    );
    world.secrets = ['keys'];
    assert.deepEqual(credentials(world.plan()), ['keys']);
    assert.deepEqual(world.selector, ROUTER_LABELS);
  });

  test('whose servers speak plainly has callers who do, whatever others are shown', () => {
    const world = new World(serviceOf(undefined, {}, { 'skupper.io/tls-cert': 'keys' }));
    world.network = known('take-over');
    const plan = world.plan();
    assert.deepEqual([plan.secrets, credentials(plan)], [[], [undefined]]);
  });

  for (const [what, service, message] of [
    [
      'speaks TLS without a certificate for its callers',
      serviceOf(undefined, {}, { 'skupper.io/tls-trust': 'ca' }),
      /^Its servers speak TLS, and the router has no certificate .* name its Secret in skupper\.io\/tls-cert\.$/,
    ],
    ['is headless', serviceOf(undefined, { clusterIP: 'None' }), /^It has no cluster IP, so callers inside the cluster keep/],
    [
      'takes callers of its own node only',
      serviceOf(undefined, { internalTrafficPolicy: 'Local' }),
      /^Its traffic policy is Local, so/,
    ],
    ['selects no pods', serviceOf(undefined, { selector: {} }), /^It selects no pods, so callers inside/],
    [
      'has a port that is not exposed',
      serviceOf([{ port: 80, targetPort: 8080 }, { port: 9090 }], {}, { 'skupper.io/port': '80' }),
      /^The network does not carry its port 9090, so callers/,
    ],
  ] as const)
    test(`stays as it is where it ${what}`, () => {
      const world = new World(service);
      world.network = known('take-over');
      const { state, writes } = world.plan();
      assert.deepEqual(writes.patches, []);
      assert.equal(state.problems[0]?.where, 'Service backend');
      assert.match(state.problems[0].message, message);
    });
});

describe('a Service in front of a workload', () => {
  const plain = (selector = { app: 'backend' }, ports: Port[] = [{ port: 80, targetPort: 'web' }]) => {
    const service = serviceOf(ports, { selector });
    delete service.metadata!.annotations;
    return service;
  };
  const planned = (service: V1Service, workloads: Workload[], configMaps: V1ConfigMap[] = []) =>
    makePlan(
      {
        services: [service],
        pods: [POD],
        workloads,
        configMaps,
        network: known('take-over'),
        hostIp: undefined,
        listenHost: '::',
        hasCertificate: () => false,
        now: NOW,
      },
      newPlanMemory(NOW),
      new ResourceMaps(),
    );
  const deployment: Workload = {
    kind: 'Deployment',
    object: {
      metadata: { name: 'web', annotations: { ...ANNOTATIONS, 'skupper.io/address': 'backend' } },
      spec: {
        selector: { matchLabels: { app: 'backend' } },
        template: {
          metadata: { labels: { app: 'backend', version: '2' } },
          spec: {
            containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080 }, { name: 'admin', containerPort: 9090 }] }], // prettier-ignore
          },
        },
      },
    },
  };

  test('that is exposed under its name points at the router, too', () => {
    const plan = planned(plain(), [deployment]);
    assert.deepEqual(plan.writes.patches.map(({ name }) => name), ['backend']); // prettier-ignore
    assert.deepEqual(listeners(plan), [['diverted-backend-80', 10_000, '8080']]);
  });

  test('has each of its ports where that leads', () => {
    const ports = [{ port: 80, targetPort: 8080 }, { port: 8080, targetPort: 'admin' }]; // prettier-ignore
    assert.deepEqual(listeners(planned(plain(undefined, ports), [deployment])), [
      ['diverted-backend-80', 10_000, '8080'],
      ['diverted-backend-8080', 10_001, '9090'],
    ]);
  });

  test('stays where it leads to other pods', () => {
    assert.deepEqual(planned(plain({ app: 'legacy' }), [deployment]).writes.patches, []);
  });

  test('stays where a Connector offers the address: its host may be that Service', () => {
    const yaml =
      'apiVersion: skupper.io/v2alpha1\nkind: Connector\nmetadata: {name: c}\nspec: {routingKey: backend, host: backend, port: 8080}';
    const map = { metadata: { name: 'm' }, data: { 'a.yaml': yaml } };
    assert.deepEqual(planned(plain(), [], [map]).writes.patches, []);
  });
});
