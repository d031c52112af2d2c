import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CoreV1Event } from '@kubernetes/client-node';
import { silentLog } from '../../log.ts';
import { apiError } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { MOST_EVENTS, ProblemEvents } from './problem-events.ts';

/** Events of a Deployment that a cluster takes, unless it refuses. */
function world({ mock: { timers } }: TestContext) {
  timers.enable({ apis: ['Date'] });
  const made: CoreV1Event[] = [];
  const state: { refusal?: Error } = {};
  const client: Partial<ClusterClient> = {
    create: (_namespace, object) => {
      made.push(object as CoreV1Event);
      return state.refusal ? Promise.reject(state.refusal) : Promise.resolve(object);
    },
  };
  const events = new ProblemEvents(client as ClusterClient, 'shop', silentLog);
  const object = { metadata: { name: 'backend', uid: 'u', resourceVersion: '7' } };
  const find = (where: string) => (where === 'Deployment backend' ? ({ kind: 'Deployment', object } as const) : undefined);
  /** How many there are then. */
  const tell = async (...messages: string[]) => {
    events.tell(
      messages.map((message) => ({ where: 'Deployment backend', message })),
      find,
    );
    await new Promise((resolve) => setImmediate(resolve));
    return made.length;
  };
  return { events, made, state, tell, find, timers };
}

test('a problem of an object is an Event of it, told again once Kubernetes has forgotten it', async (context) => {
  const { events, made, tell, find, timers } = world(context);
  assert.equal(await tell('It is wrong.'), 1);
  assert.partialDeepStrictEqual(made[0], {
    involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'backend', uid: 'u' },
    type: 'Warning',
    reason: 'CaravanProblem',
    message: 'It is wrong.',
  });
  assert.equal(await tell('It is wrong.'), 1);
  assert.equal(await tell('It is wrong.', 'It is late.'), 2);
  events.tell([{ where: 'Address x', message: 'Nobody has it.' }], find);
  timers.tick(3_600_000);
  assert.equal(await tell('It is late.'), 3);
});

test('there are not more than so many of them, and none without the right', async (context) => {
  const { state, tell, timers } = world(context);
  const many = Array.from({ length: MOST_EVENTS + 1 }, (_, index) => `Problem ${index}.`);
  assert.equal(await tell(...many), MOST_EVENTS);
  timers.tick(3_600_000);
  state.refusal = apiError(403, '{"message":"events is forbidden"}', 'c');
  assert.equal(await tell('One.'), MOST_EVENTS + 1);
  assert.equal(await tell('Two.'), MOST_EVENTS + 1);
});
