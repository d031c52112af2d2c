import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import { type Spawn, startRuntime } from './runtime-process.ts';

test('in Restricted Mode no process starts, whoever asks for it', () => {
  const spawn = () => assert.fail('a process was started');
  const runtime = { script: '/caravan.cjs', spawn, isTrusted: () => false };
  assert.throws(() => startRuntime(runtime, ['demo'], {}), /In Restricted Mode, .* trust this folder first\.$/);
});

test('the editor’s proxy is the router’s where the environment names none', () => {
  const started: NodeJS.ProcessEnv[] = [];
  const spawn = ((_command, _args, { env = {} }) => {
    started.push(env);
    return {} as ChildProcess;
  }) satisfies Spawn;
  const proxy = () => ({ HTTPS_PROXY: 'http://editor.example:3128', NO_PROXY: '.example' });
  for (const env of [{}, { HTTPS_PROXY: '' }, { https_proxy: 'http://own.example' }, { HTTPS_PROXY: 'http://own.example' }])
    startRuntime({ script: '/caravan.cjs', spawn, env, proxy }, ['run'], {});
  assert.deepEqual(
    started.map(({ HTTPS_PROXY, https_proxy, NO_PROXY }) => [HTTPS_PROXY ?? https_proxy, NO_PROXY]),
    [
      ['http://editor.example:3128', '.example'],
      ['http://editor.example:3128', '.example'],
      ['http://own.example', undefined],
      ['http://own.example', undefined],
    ],
  );
});
