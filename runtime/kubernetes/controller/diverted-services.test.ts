import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1Service } from '@kubernetes/client-node';
import type { Intercept, ServiceStatus } from '../../api/types.ts';
import { ORIGINAL_ANNOTATION, ROUTER_LABELS } from '../names.ts';
import { asWritten } from './diverted-service.ts';
import { LEASE_MS, LINGER_MS } from './diverted-services.ts';
import { makePlan, newPlanMemory, type Plan } from './plan.ts';
import { ResourceMaps } from './resource-maps.ts';

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

  constructor(service = serviceOf()) {
    this.service = service;
  }

  plan(): Plan {
    const { now, network } = this;
    const inputs = { services: [this.service], pods: [POD], workloads: [], configMaps: [], network, hostIp: undefined, now };
    const plan = makePlan(inputs, this.memory, this.maps);
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

/** RFC 7396. */
function merged(to: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return structuredClone(change);
  const result: Record<string, unknown> = { ...(to as object) };
  for (const [key, value] of Object.entries(change))
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merged(result[key], value);
  return result;
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
    world.network = known();
    assert.equal(world.plan().recheckAt, NOW + LEASE_MS);
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
    world.now += LEASE_MS;
    world.plan();
    assert.deepEqual([world.selector, world.targetPorts], [{ app: 'backend', tier: 'web' }, ['web']]);
    assert.equal(world.service.metadata?.annotations?.[ORIGINAL_ANNOTATION], undefined);
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

  for (const [what, service, message] of [
    ['is headless', serviceOf(undefined, { clusterIP: 'None' }), /^It has no cluster IP, so callers inside the cluster keep/],
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

test('a Service in front of a workload that is exposed points at the router, too', () => {
  const deployment = {
    metadata: { name: 'backend', annotations: ANNOTATIONS },
    spec: {
      selector: { matchLabels: { app: 'backend' } },
      template: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 8080 }] }] } },
    },
  };
  const plain = serviceOf();
  delete plain.metadata!.annotations;
  const input = { services: [plain], pods: [POD], configMaps: [], network: known('take-over'), hostIp: undefined, now: NOW };
  const plan = makePlan(
    { ...input, workloads: [{ kind: 'Deployment', object: deployment }] },
    newPlanMemory(NOW),
    new ResourceMaps(),
  );
  assert.deepEqual(plan.writes.patches.map(({ name }) => name), ['backend']); // prettier-ignore
  assert.deepEqual(listeners(plan), [['diverted-backend-80', 10_000, '8080']]);
});
