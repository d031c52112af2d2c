import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { PROCESS_ENVIRONMENT } from '../process-environment.ts';
import { parseResources } from '../../site/resources.ts';
import { LocalRouter, siteYaml } from './local-router.ts';
import type { Spawn } from './runtime-process.ts';
import { takeLock } from './start-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'caravan-laptop-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;

/** A laptop whose router answers `delayMs` after a process was spawned; `start` may do something else instead. */
function setup(
  start: (child: EventEmitter, log: number) => void,
  shared: { running: boolean; spawned: number; asked: number; startMs?: number; folder?: string; formerFolder?: string },
) {
  const folder = (shared.folder ??= join(root, String(folders++)));
  const calls: { command: string; args: string[]; options: SpawnOptions }[] = [];
  const spawn: Spawn = (command, args, options) => {
    shared.spawned++;
    calls.push({ command, args, options });
    const child = Object.assign(new EventEmitter(), { unref() {}, kill: () => true });
    start(child, (options.stdio as number[])[1]!);
    return child as unknown as ChildProcess;
  };
  const router = new LocalRouter({
    runtime: {
      script: '/ext/dist/caravan.cjs',
      spawn,
      execPath: '/code',
      env: { PATH: '/bin', VSCODE_PID: '1', NODE_OPTIONS: '-r x', CARAVAN_DEMO: '1' },
    },
    socket: '/run/laptop.sock',
    lock: `${folder}.lock`,
    folder,
    carriesTraffic: () => false,
    ...(shared.formerFolder && { formerFolder: shared.formerFolder }),
    isAnswered: () => Promise.resolve(shared.running),
    // Not yet, the first time.
    status: () => (shared.asked++ === 0 ? Promise.reject(new Error('The site is still starting.')) : Promise.resolve()),
    startMs: shared.startMs ?? 30_000,
  });
  return { router, calls, folder };
}
const never = new AbortController().signal;
const answersSoon = (shared: { running: boolean }) => () => void setTimeout(() => (shared.running = true), 120);

describe("the laptop's router", () => {
  test('is started detached on this Node, without what the editor set for itself', async () => {
    const shared = { running: false, spawned: 0, asked: 0 };
    const { router, calls, folder } = setup(answersSoon(shared), shared);
    assert.deepEqual(await router.ensure(never), { where: 'local', name: 'laptop', socket: '/run/laptop.sock' });
    const { command, args, options } = calls[0]!;
    assert.equal(command, '/code');
    const [config, data] = [join(folder, 'config'), join(folder, 'data')];
    assert.deepEqual(args, ['/ext/dist/caravan.cjs', 'run', '--config', config, '--data', data, '--socket', '/run/laptop.sock']);
    assert.equal(options.detached, true);
    assert.equal(options.cwd, folder);
    assert.deepEqual(options.env, { ...PROCESS_ENVIRONMENT, PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' });
    assert.ok(!existsSync(`${folder}.lock`), 'the lock is given back');
    assert.match(readFileSync(join(config, 'site.yaml'), 'utf8'), /autoListen: loopback/);
  });

  test('takes along what an earlier version kept elsewhere, once', async () => {
    const shared = {
      running: false,
      spawned: 0,
      asked: 0,
      folder: join(root, 'new', 'place'),
      formerFolder: join(root, 'former'),
    };
    mkdirSync(join(shared.formerFolder, 'data'), { recursive: true });
    writeFileSync(join(shared.formerFolder, 'data', 'identity'), 'mine');
    await setup(answersSoon(shared), shared).router.ensure(never);
    assert.equal(readFileSync(join(shared.folder, 'data', 'identity'), 'utf8'), 'mine');
    assert.ok(!existsSync(shared.formerFolder));
    mkdirSync(join(shared.formerFolder, 'data'), { recursive: true });
    writeFileSync(join(shared.formerFolder, 'data', 'identity'), "another's");
    Object.assign(shared, { running: false });
    await setup(answersSoon(shared), shared).router.ensure(never);
    assert.equal(readFileSync(join(shared.folder, 'data', 'identity'), 'utf8'), 'mine', 'what is there already stays');
  });

  test('is used where it runs already', async () => {
    const shared = { running: true, spawned: 0, asked: 0 };
    await setup(() => {}, shared).router.ensure(never);
    assert.equal(shared.spawned, 0);
  });

  test('is started once by two windows at once', async () => {
    const shared = { running: false, spawned: 0, asked: 0 };
    const windows = [setup(answersSoon(shared), shared), setup(answersSoon(shared), shared)];
    await Promise.all(windows.map(({ router }) => router.ensure(never)));
    assert.equal(shared.spawned, 1);
  });

  test('that ends at once is quoted', async () => {
    const shared = { running: false, spawned: 0, asked: 0 };
    const fails = (child: EventEmitter, log: number) => {
      writeSync(log, '{"level":"info","message":"starting"}\n{"level":"error","message":"Port 8443 is in use."}\n');
      setTimeout(() => child.emit('exit', 1, null), 20);
    };
    const { router } = setup(fails, shared);
    await assert.rejects(router.ensure(never), { message: "This laptop's router ended with code 1: Port 8443 is in use." });
  });

  test('that never answers has a time limit, and starting it can be cancelled', async () => {
    const shared = { running: false, spawned: 0, asked: 0, startMs: 500 };
    await assert.rejects(setup(() => {}, shared).router.ensure(never), { message: "This laptop's router does not answer." });
    await assert.rejects(setup(() => {}, shared).router.ensure(AbortSignal.abort(new Error('enough'))), { message: 'enough' });
  });

  test('has a site that the runtime understands, whatever the user is called', () => {
    for (const [user, name] of [
      ['ada', 'ada-laptop'],
      ['CORP\\Ada L.', 'corp-ada-l-laptop'],
      ['李', 'my-laptop'],
    ] as const) {
      const { resources, problems } = parseResources(siteYaml(user, { edge: true }), 'site.yaml');
      assert.deepEqual(problems, []);
      assert.equal(resources[0]?.name, name);
      assert.deepEqual(resources[0]?.spec, { edge: true, settings: { autoListen: 'loopback' } });
    }
  });
});

describe('the start lock', () => {
  const path = join(root, 'lock');
  test('is held by one, and can be taken again', () => {
    const release = takeLock(path);
    assert.ok(release);
    assert.equal(takeLock(path), undefined);
    release();
    takeLock(path)!();
  });
  test('of a process that is gone is taken over', () => {
    writeFileSync(path, '999999999');
    takeLock(path)!();
  });
  test('that is old is taken over', () => {
    writeFileSync(path, String(process.pid));
    utimesSync(path, 0, 0);
    takeLock(path)!();
  });
});
