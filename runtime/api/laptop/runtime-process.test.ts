import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRuntime } from './runtime-process.ts';

test('in Restricted Mode no process starts, whoever asks for it', () => {
  const spawn = () => assert.fail('a process was started');
  const runtime = { script: '/caravan.cjs', spawn, isTrusted: () => false };
  assert.throws(() => startRuntime(runtime, ['demo'], {}), /In Restricted Mode, .* trust this folder first\.$/);
});
