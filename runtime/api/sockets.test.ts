import assert from 'node:assert/strict';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ApiServer } from './server.ts';
import { ApiClient } from './client.ts';
import { isAnswered, runningSites, socketDirectory, socketPath } from './sockets.ts';

let directory: string;
let before: NodeJS.ProcessEnv;

beforeEach(async () => {
  before = { ...process.env };
  directory = await mkdtemp(join(tmpdir(), 'run-'));
  process.env['CARAVAN_RUNTIME_DIR'] = directory;
});
afterEach(async () => {
  process.env = before;
  await rm(directory, { recursive: true });
});

test('the directory is the wanted one, else that of the session, else one of the user', () => {
  assert.equal(socketDirectory(), directory);
  delete process.env['CARAVAN_RUNTIME_DIR'];
  process.env['XDG_RUNTIME_DIR'] = '/run/user/1000';
  assert.equal(socketDirectory(), '/run/user/1000/caravan');
  delete process.env['XDG_RUNTIME_DIR'];
  assert.match(socketDirectory(), /caravan-\d+$/);
});

test('running sites are those that answer', async () => {
  assert.deepEqual(await runningSites(), []);
  await chmod(directory, 0o755);
  const west = new ApiServer();
  const east = new ApiServer();
  await west.listenOnSocket(socketPath('west'));
  await east.listenOnSocket(socketPath('east'));
  await writeFile(socketPath('stale'), '');
  assert.deepEqual(await runningSites(), [
    { name: 'east', socket: join(directory, 'east.sock') },
    { name: 'west', socket: join(directory, 'west.sock') },
  ]);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  await Promise.all([west.close(), east.close()]);
  assert.deepEqual(await runningSites(), []);
});

test('a name that would leave the directory, or a path that is too long, is refused', () => {
  assert.throws(() => socketPath('../west'), /"..\/west" cannot name a site/);
  assert.throws(() => socketPath('w'.repeat(120)), /no more than 103 work: give a shorter one with --socket/);
});

const isRoot = process.getuid?.() === 0;
test(
  'a socket that somebody else made is not talked to',
  { skip: isRoot ? undefined : 'only root can give a socket away' },
  async () => {
    const server = new ApiServer();
    await server.listenOnSocket(socketPath('west'));
    assert.equal(await isAnswered(socketPath('west')), true);
    await chown(socketPath('west'), 65_534, 65_534);
    assert.equal(await isAnswered(socketPath('west')), false);
    assert.deepEqual(await runningSites(), []);
    await assert.rejects(ApiClient.overSocket(socketPath('west')).status(), {
      code: 'forbidden',
      message: /was not made by this user/,
    });
    await server.close();
  },
);
