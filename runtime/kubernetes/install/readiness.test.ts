import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { readinessOf, tellingLine } from './readiness.ts';

const deployment = (status: object, replicas = 1): V1Deployment => ({
  metadata: { name: 'caravan', generation: 2 },
  spec: { replicas, selector: {}, template: {} },
  status: { observedGeneration: 2, ...status },
});
const pod = (waiting: object, restartCount = 0, name = 'caravan-1'): V1Pod => ({
  metadata: { name },
  spec: { containers: [{ name: 'router', image: 'nope:1' }] },
  status: {
    phase: 'Pending',
    containerStatuses: [{ name: 'router', ready: false, restartCount, image: '', imageID: '', state: { waiting } }],
  },
});

test('ready is what is updated and ready, of the generation that was applied', () => {
  const ready = { updatedReplicas: 1, readyReplicas: 1 };
  assert.deepEqual(readinessOf(deployment(ready), []), { ready: true, stuck: false });
  assert.equal(readinessOf(deployment({ ...ready, observedGeneration: 1 }), []).ready, false);
  assert.equal(readinessOf(deployment({ ...ready, unavailableReplicas: 1 }), []).ready, false);
});

test('an image that cannot be pulled is stuck, and named', () => {
  const found = readinessOf(deployment({}), [
    pod({ reason: 'ErrImagePull', message: 'failed to pull "nope:1": dial tcp: lookup nope: no such host' }),
  ]);
  assert.deepEqual(found, {
    ready: false,
    stuck: true,
    message: "The router's pod caravan-1 cannot pull its image nope:1: no such host.",
  });
});

test('a pod that fits no node says why in one sentence', () => {
  const message =
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  const unscheduled = pod({});
  unscheduled.status!.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
  assert.equal(
    readinessOf(deployment({}), [unscheduled]).message,
    "The router's pod caravan-1 fits no node: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  );
});

test('pod security that refuses the pod is stuck, in its own words', () => {
  const message =
    'pods "caravan-5d8f" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false.';
  const found = readinessOf(deployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', message }] }), []);
  assert.equal(
    found.message,
    'The cluster refuses the router\'s pod: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false.',
  );
  assert.ok(found.stuck);
});

test('a crash is stuck once it repeats, and says whose log tells more', () => {
  assert.equal(readinessOf(deployment({}), [pod({ reason: 'ContainerCreating' }, 0)]).stuck, false);
  const found = readinessOf(deployment({}), [pod({ reason: 'CrashLoopBackOff' }, 2)]);
  assert.deepEqual([found.stuck, found.telling], [true, { pod: 'caravan-1', previous: true }]);
});

test('what is on its way is not stuck', () => {
  assert.deepEqual(readinessOf(deployment({}), []), { ready: false, stuck: false, message: 'The router has no pod yet.' });
  assert.match(readinessOf(deployment({}), [pod({ reason: 'ContainerCreating' })]).message!, /is starting\.$/);
  assert.ok(readinessOf(deployment({}, 0), []).stuck);
});

test('a router that runs and is not ready has a log that tells why', () => {
  const running = pod({});
  running.status!.containerStatuses![0]!.state = { running: {} };
  assert.deepEqual(readinessOf(deployment({}), [running]).telling, { pod: 'caravan-1', previous: false });
});

test('the telling line of a log is its error', () => {
  assert.equal(tellingLine('starting\nError: no such file\n    at x (y:1:2)\n}\n\nNode.js v24.21.0\n'), 'Error: no such file');
  assert.equal(tellingLine('one\ntwo\n'), 'two');
  assert.equal(tellingLine('\n'), undefined);
  const line = JSON.stringify({ time: '2026', level: 'warn', message: 'cannot start yet', error: 'It refuses connections.' });
  assert.equal(tellingLine(`${line}\n`), 'cannot start yet: It refuses connections.');
});
