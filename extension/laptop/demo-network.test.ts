import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { DemoNetwork } from './demo-network.ts';

/** A demo whose process does what `started` says; its end closes it. */
function setup(started: (child: FakeChild) => void, running = false) {
  const state = { spawned: 0, child: undefined as FakeChild | undefined };
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const spawn = (_: string, args: string[]) => {
    assert.deepEqual(args, ['/caravan.cjs', 'demo', '--until-stdin-closes']);
    state.spawned++;
    const child = (state.child = new FakeChild());
    started(child);
    return child as unknown as ChildProcess;
  };
  const isAnswered = () => Promise.resolve(running);
  const runtime = { script: '/caravan.cjs', spawn, env: {} };
  return {
    state,
    demo: new DemoNetwork({ runtime, isAnswered, socketOf: (name) => name, changed() {}, log: silent, startMs: 300 }),
  };
}
class FakeChild extends EventEmitter {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  constructor() {
    super();
    this.stdin.once('finish', () => this.emit('exit', 0, null));
  }
  kill() {
    return this.emit('exit', null, 'SIGTERM');
  }
}

test('the demo is on when its application answers, and off when it was stopped', async () => {
  const { demo } = setup((child) =>
    child.stdout.write('Starting\ncaravan: demo is ready, http://127.0.0.1:8750/\nLook around\n'),
  );
  await demo.start();
  assert.deepEqual(demo.view, { state: 'on', url: 'http://127.0.0.1:8750/' });
  await demo.stop();
  assert.deepEqual(demo.view, { state: 'off' });
});

test('a demo of another window is used, not started again', async () => {
  const { demo, state } = setup(() => {}, true);
  await demo.start();
  assert.equal(state.spawned, 0);
  await assert.rejects(demo.stop(), { message: 'The demo network was started by another window: stop it there.' });
});

test('a demo that ends at once is quoted, and can be started again', async () => {
  const { demo } = setup((child) => {
    child.stderr.write('caravan: port 8750 is in use\n');
    setTimeout(() => child.emit('exit', 1, null), 20);
  });
  await assert.rejects(demo.start(), { message: 'The demo network ended with code 1: caravan: port 8750 is in use.' });
  assert.deepEqual(demo.view, { state: 'off' });
});

test('a demo that never answers has a time limit, and starting it can be cancelled', async () => {
  await assert.rejects(setup(() => {}).demo.start(), { message: 'The demo network does not answer.' });
  await assert.rejects(setup(() => {}).demo.start(AbortSignal.abort(new Error('enough'))), { message: 'enough' });
});

test('the demo ends with the window', async () => {
  const { demo, state } = setup((child) => child.stdout.write('caravan: demo is ready, http://127.0.0.1:8750/\n'));
  await demo.start();
  demo.dispose();
  assert.ok(state.child?.stdin.writableEnded);
});
