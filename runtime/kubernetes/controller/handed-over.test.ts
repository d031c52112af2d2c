import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1ManagedFieldsEntry, V1Service } from '@kubernetes/client-node';
import type { ServiceStatus } from '../../api/types.ts';
import { merged } from '../merge-patch.testkit.ts';
import { makePlan, newPlanMemory, type Plan } from './plan.ts';
import { ResourceMaps } from './resource-maps.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const POD = {
  metadata: { name: 'backend-1', labels: { app: 'backend' } },
  status: { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
};
const OFFERED: ServiceStatus = {
  address: 'backend',
  type: 'tcp',
  distribution: 'balanced',
  ports: [8080, 9090],
  destinations: [{ site: 'west', siteId: 'w', router: 'r', target: 'pod', port: 8080 }],
};

/** A namespace with the proxy of `backend` that does what plans say. */
class World {
  network = [OFFERED];
  service: V1Service;
  memory = newPlanMemory(NOW);
  readonly maps = new ResourceMaps();

  constructor() {
    const [proxy] = this.plan([]).writes.create;
    this.service = structuredClone(proxy!);
    this.service.metadata!.resourceVersion = '7';
  }

  plan(services = [this.service]): Plan {
    const namespace = { services, pods: [POD], workloads: [], configMaps: [], hostIp: undefined, listenHost: '::' };
    return makePlan({ ...namespace, network: this.network, hasCertificate: () => false, now: NOW }, this.memory, this.maps);
  }

  /** As `kubectl apply` does with a Service: maps are merged, and of ports those with the same number. */
  apply({ ports = [], ...spec }: NonNullable<V1Service['spec']>, annotations: Record<string, string> = {}, labels = {}): void {
    const known = this.service.spec!.ports!;
    const others = known.filter(({ port }) => ports.every((each) => each.port !== port));
    const both = [
      ...ports.map((each) =>
        Object.assign(
          {},
          known.find(({ port }) => port === each.port),
          each,
        ),
      ),
      ...others,
    ];
    const applied = {
      metadata: { annotations: { [LAST_APPLIED]: '{…}', ...annotations }, labels },
      spec: { ...spec, ports: both },
    };
    this.service = merged(this.service, applied) as V1Service;
  }

  /** Another manager that applies at the server, and has come to be one with what was there. */
  managedBy(...entries: V1ManagedFieldsEntry[]): void {
    this.service.metadata!.managedFields = [{ manager: 'caravan', operation: 'Update', fieldsV1: { 'f:spec': {} } }, ...entries];
  }

  /** Plans until nothing is to be written; what was planned first. */
  settle(): Plan {
    const first = this.plan();
    const { patches, create, remove } = first.writes;
    assert.deepEqual([create, remove], [[], []]);
    for (const { change } of patches) {
      assert.equal((change as V1Service).metadata?.resourceVersion, '7');
      this.service = merged(this.service, change) as V1Service;
    }
    assert.deepEqual(this.plan().writes, { create: [], patches: [], remove: [] });
    return first;
  }
}

const connectors = ({ state }: Plan) =>
  state.resources.flatMap((resource) =>
    resource.kind === 'Connector' ? [[resource.name, resource.targets?.map(({ host, port }) => `${host}:${port}`).join()]] : [],
  );
const own = { selector: { app: 'backend' }, ports: [{ port: 8080, targetPort: 8081 }] };

describe('a Service that is applied over a proxy', () => {
  test("is its owner's from then on: it is exposed as it says, nothing of the proxy is left, and it outlives the service", () => {
    const world = new World();
    world.apply(own, { 'skupper.io/proxy': 'tcp' }, { app: 'backend' });
    const plan = world.settle();
    assert.deepEqual(connectors(plan), [['service-backend-8080', '10.0.0.1:8081']], 'at once');
    assert.deepEqual(plan.state.problems, []);
    const { metadata, spec } = world.service;
    assert.deepEqual(metadata, {
      name: 'backend',
      labels: { app: 'backend' },
      annotations: { [LAST_APPLIED]: '{…}', 'skupper.io/proxy': 'tcp' },
      resourceVersion: '7',
    });
    assert.deepEqual(spec, {
      type: 'ClusterIP',
      selector: { app: 'backend' },
      ports: [{ name: 'port-8080', port: 8080, targetPort: 8081, protocol: 'TCP' }],
    });
    world.network = [];
    world.settle();
  });

  test('is a conflict where it is not exposed, and stays as it is', () => {
    const world = new World();
    world.apply(own);
    const { state } = world.settle();
    assert.match(state.problems[0]!.message, /^A Service of this name is here already/);
    assert.deepEqual(world.service.spec?.selector, { app: 'backend' });
  });

  test('leads to its own ports where it names no others, also for a router that has restarted', () => {
    for (const memory of [undefined, newPlanMemory(NOW)]) {
      const world = new World();
      if (memory) world.memory = memory;
      world.apply({ selector: { app: 'backend' }, ports: [{ name: 'web', port: 8080 }, { name: 'db', port: 27_017, targetPort: 27_018 }] }); // prettier-ignore
      if (memory) world.service.spec!.ports!.splice(1, 1);
      world.settle();
      const ports = world.service.spec!.ports!.map(({ name, port, targetPort }) => [name, port, targetPort]);
      assert.deepEqual(ports, [['web', 8080, undefined], ...(memory ? [] : [['db', 27_017, 27_018]])]);
    }
  });

  test('may say the very labels that a proxy has', () => {
    const world = new World();
    const labels = { 'app.kubernetes.io/name': 'backend', 'app.kubernetes.io/managed-by': 'Helm' };
    world.apply({ ...own, selector: { 'app.kubernetes.io/name': 'backend' } }, {}, labels);
    world.settle();
    assert.deepEqual(world.service.metadata?.labels, labels);
    assert.deepEqual(world.service.spec?.selector, { 'app.kubernetes.io/name': 'backend' });
  });

  test("by a tool that applies at the server is its owner's, too", () => {
    const world = new World();
    world.managedBy({ manager: 'kustomize-controller', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:ports': {} } } });
    world.settle();
    assert.deepEqual(world.service.metadata?.labels, {});
  });
});

describe('a proxy stays one', () => {
  test('where others add to it, and where a copy of it is applied', () => {
    const world = new World();
    const before = structuredClone(world.service.spec);
    world.service.metadata!.annotations!['example.org/note'] = 'seen';
    world.managedBy(
      { manager: 'caravan', operation: 'Apply', fieldsV1: { 'f:spec': {} } },
      { manager: 'notes', operation: 'Apply', fieldsV1: { 'f:metadata': {} } },
      { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:spec': {} } },
    );
    world.service.metadata!.annotations![LAST_APPLIED] = JSON.stringify({
      metadata: { annotations: { 'caravan/address': 'backend' } },
    });
    world.settle();
    assert.deepEqual(world.service.spec, before);
  });

  test('where somebody only annotates it, and says that this exposes nothing', () => {
    const world = new World();
    world.service.metadata!.annotations!['skupper.io/proxy'] = 'tcp';
    const plan = world.settle();
    assert.deepEqual(connectors(plan), []);
    assert.deepEqual(plan.state.problems, [
      {
        where: 'Service backend',
        message: "This Service is Caravan's own, and exposes nothing; put skupper.io/proxy on what its clients are to reach.",
      },
    ]);
  });
});
