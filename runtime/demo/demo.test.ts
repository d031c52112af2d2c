import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { caravan, Foreground } from '../../test/support/caravan.ts';
import { ApiClient } from '../api/client.ts';
import { isAnswered } from '../api/sockets.ts';

let directory: string;
let env: NodeJS.ProcessEnv;
let demo: Foreground | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-'));
  env = { CARAVAN_RUNTIME_DIR: join(directory, 'run'), CARAVAN_SOCKET: '' };
  demo = undefined;
});
afterEach(async () => {
  demo?.process.kill('SIGKILL');
  await demo?.ended;
  for (const name of SITES) await gone(name);
  await rm(directory, { recursive: true, maxRetries: 5 });
});

const SITES = ['cloud', 'onprem', 'laptop'];
const data = () => join(directory, 'data');
const socket = (name: string) => join(directory, 'run', `demo-${name}.sock`);

async function gone(name: string): Promise<void> {
  for (let i = 0; i < 200 && (await isAnswered(socket(name))); i++) await sleep(50);
  assert.equal(await isAnswered(socket(name)), false, `${name} still runs`);
}

async function start(): Promise<string> {
  demo = new Foreground(['demo', '--data', data()], env);
  const [, url = ''] = await demo.prints(/^caravan: demo is ready, (http:\S+)$/m);
  return url;
}

test('--once makes one request through the whole network and leaves nothing behind', async () => {
  const { code, out, err } = await caravan(['demo', '--once', '--data', data()], env);
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.match(out, /\norder 3: ristretto at \d\d:\d\d:\d\d\norder 2: flat white at .*\norder 1: espresso at .*\n$/);
  assert.deepEqual(await readdir(data()), []);
  for (const name of SITES) assert.equal(await isAnswered(socket(name)), false);
});

test('the page shows an order that was placed on it, and both went through cloud and onprem', async () => {
  const url = await start();
  const before = await (await fetch(url)).text();
  assert.match(before, /<h1>Orders<\/h1>[^]*espresso/);
  const answer = await fetch(`${url}orders`, { method: 'POST', body: new URLSearchParams({ item: 'iced tea' }) });
  assert.match(await answer.text(), /<td>3<td>iced tea/);

  const laptop = await ApiClient.overSocket(socket('laptop')).status();
  assert.deepEqual(new Set(laptop.sites.map(({ name }) => name)), new Set(SITES));
  assert.deepEqual(
    laptop.links.map(({ peer, state }) => [peer, state]),
    [['onprem', 'up']],
  );
  const offered = Object.fromEntries(
    laptop.services.map(({ address, destinations }) => [address, destinations.map(({ site }) => site)]),
  );
  assert.deepEqual(offered, { backend: ['cloud'], orders: ['onprem'] });
  assert.equal(await demo!.stop(), 0);
  assert.deepEqual(await readdir(data()), []);
});

test('a page while the database is gone says so', async () => {
  const url = await start();
  const onprem = ApiClient.overSocket(socket('onprem'));
  const [connector] = (await onprem.status()).connectors;
  await onprem.remove({ kind: 'Connector', name: connector!.name });
  let answer = await fetch(url);
  for (let i = 0; i < 100 && answer.status === 200; i++) {
    await sleep(50);
    answer = await fetch(url);
  }
  assert.equal(answer.status, 502);
  assert.match(await answer.text(), /role="alert">The backend does not answer: orders does not answer: /);
});

test('a second one says that one runs already', async () => {
  await start();
  const { code, err } = await caravan(['demo', '--once'], env);
  assert.equal(code, 1);
  assert.match(err, /^caravan: The demo runs already: [^\n]+\n$/);
});

test('a site that dies ends it with one sentence', async () => {
  await start();
  const { router } = await ApiClient.overSocket(socket('cloud')).status();
  process.kill(router.pid, 'SIGKILL');
  assert.equal(await demo!.ended, 1);
  assert.match(demo!.err, /(^|\n)caravan: The site cloud has ended: exit SIGKILL\.\n$/);
  assert.deepEqual(await readdir(data()), []);
});

test('nothing outlives it, even when it is killed', async () => {
  await start();
  demo!.process.kill('SIGKILL');
  await demo!.ended;
  for (const name of SITES) await gone(name);
});
