import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LaunchConfig, withEnvironment } from './launch-config.ts';
import { readWorkload } from './pod-config.ts';

const VARIABLES = { DB_HOST: 'db', LEVEL: 'info' };

function configured(launch?: LaunchConfig['launch']) {
  return withEnvironment({ name: 'backend', workload: 'backend', ...(launch && { launch }) }, VARIABLES);
}

describe('a launch configuration', () => {
  test('is the inner one, with the environment of the workload under its own', () => {
    assert.deepEqual(configured({ type: 'node', program: 'server.js', env: { LEVEL: 'debug' } }), {
      type: 'node',
      request: 'launch',
      name: 'backend',
      program: 'server.js',
      env: { DB_HOST: 'db', LEVEL: 'debug' },
    });
  });

  test('has a list for the debuggers of C and C++', () => {
    const own = { name: 'LEVEL', value: 'debug' };
    assert.deepEqual(configured({ type: 'cppdbg', environment: [own] })['environment'], [
      { name: 'DB_HOST', value: 'db' },
      { name: 'LEVEL', value: 'info' },
      own,
    ]);
  });

  test('that runs nothing, or itself, is refused in one sentence', () => {
    for (const launch of [undefined, {}, { type: 'caravan' }])
      assert.throws(() => configured(launch), { code: 'bad-request', message: /^backend: "launch" is missing; give/ });
  });
});

describe('a workload', () => {
  test('is named with its kind, and is a Deployment without one', () => {
    assert.deepEqual(readWorkload('StatefulSet/db'), { kind: 'StatefulSet', name: 'db' });
    assert.deepEqual(readWorkload('daemonset/agent'), { kind: 'DaemonSet', name: 'agent' });
    assert.deepEqual(readWorkload(' backend '), { kind: 'Deployment', name: 'backend' });
  });

  for (const text of ['', 'Service/backend', 'Deployment/', 'a/b/c', 'Back End'])
    test(`is not "${text}"`, () =>
      assert.throws(() => readWorkload(text), {
        code: 'bad-request',
        message: /^"workload" is ".*"; write such as "Deployment\/backend"/,
      }));
});
