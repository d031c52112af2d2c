import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { caravan, Foreground, type Outcome } from '../../test/support/caravan.ts';
import type { Status } from '../api/types.ts';

let directory: string;
let env: NodeJS.ProcessEnv;
let running: Foreground[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'run-'));
  running = [];
  env = {
    CARAVAN_RUNTIME_DIR: join(directory, 'run'),
    XDG_DATA_HOME: join(directory, 'share'),
    CARAVAN_SOCKET: '',
    CARAVAN_LOG: 'error',
  };
});
afterEach(async () => {
  for (const one of running) one.process.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  await rm(directory, { recursive: true });
});

const HEAD = 'apiVersion: skupper.io/v2alpha1\n';
const ACCESS = `${HEAD}kind: RouterAccess\nmetadata: {name: way-in}\nspec: {bindHost: 127.0.0.1, roles: [{name: inter-router, port: 0}]}\n`;

async function configure(name: string, ...resources: string[]): Promise<string> {
  const folder = join(directory, `${name}-config`);
  await mkdir(folder, { recursive: true });
  const site = `${HEAD}kind: Site\nmetadata: {name: ${name}}\n`;
  await writeFile(join(folder, 'site.yaml'), [site, ...resources].join('---\n'));
  return folder;
}

async function start(...args: string[]): Promise<Foreground> {
  const site = new Foreground(['run', ...args], env);
  running.push(site);
  await site.prints(/is ready/);
  return site;
}

async function status(...args: string[]): Promise<Status> {
  const { out, err } = await caravan(['status', '-o', 'json', ...args], env);
  assert.equal(err, '');
  return JSON.parse(out) as Status;
}

const fails = (outcome: Outcome, message: RegExp) => {
  assert.equal(outcome.code, 1, outcome.out);
  assert.match(outcome.err, message);
  assert.match(outcome.err, /^caravan: [^\n]+\n$/);
};

describe('run', () => {
  test('says when it is ready and where, keeps its data after its name, and ends with 0', async () => {
    const site = await start('--config', await configure('west'));
    assert.equal(site.out, `caravan: site west is ready, socket ${directory}/run/west.sock\n`);
    assert.equal((await status()).site.name, 'west');
    assert.deepEqual(await readdir(join(directory, 'share', 'caravan')), ['west']);
    assert.equal(await site.stop(), 0);
    assert.deepEqual(await readdir(join(directory, 'run')), []);
  });

  test('needs no configuration at all', async () => {
    const site = await start('--name', 'plain', '--socket', 'other');
    const [, socket = ''] = await site.prints(/site plain is ready, socket (\S+)/);
    assert.equal(socket, join(directory, 'run', 'other.sock'));
    assert.equal((await status()).site.name, 'plain');
  });

  test('runs as the site of a namespace in a pod only', async () => {
    const outside = { ...env, CARAVAN_NAMESPACE: 'shop', KUBERNETES_SERVICE_HOST: '' };
    fails(await caravan(['run', '--kubernetes'], outside), /KUBERNETES_SERVICE_HOST is missing: --kubernetes is for the pod/);
  });

  test('keeps who it is', async () => {
    const first = await start('--name', 'west');
    const { id } = (await status()).site;
    await first.stop();
    await start('--name', 'west');
    assert.equal((await status()).site.id, id);
  });

  test('tells of a malformed resource, now and later, and goes on with the others', async () => {
    const connector = `${HEAD}kind: Connector\nmetadata: {name: orders}\nspec: {routingKey: orders, port: 5432, host: 127.0.0.1}\n`;
    const folder = await configure(
      'west',
      connector,
      `${HEAD}kind: Listener\nmetadata: {name: bad}\nspec: {routingKey: a, port: http}\n`,
    );
    const site = await start('--config', folder);
    assert.match(
      site.err,
      /^caravan: site\.yaml:\d+: Listener bad: spec\.port is "http"; it must be a whole number from 0 to 65535\.\n$/,
    );
    assert.deepEqual(
      (await status()).connectors.map(({ address }) => address),
      ['orders'],
    );
    await writeFile(join(folder, 'more.yaml'), 'kind: [\n');
    for (let i = 0; i < 100 && !site.err.includes('more.yaml'); i++) await sleep(50);
    assert.match(site.err, /\ncaravan: more\.yaml:\d+: This is not valid YAML/);
    const { code, out } = await caravan(['status'], env);
    assert.equal(code, 0);
    assert.match(out, /\n! more\.yaml:/);
  });

  test('without its configuration, or at the socket of another, fails with one line', async () => {
    fails(await caravan(['run', '--config', '/nowhere'], env), /\/nowhere cannot be read: there is no such file or folder/);
    await start('--name', 'west');
    fails(
      await caravan(['run', '--name', 'west'], env),
      /A site already runs at .*west\.sock: stop it first, or give this one another --socket\./,
    );
    assert.equal((await status()).site.name, 'west');
  });

  test(
    'with the data of another that runs fails with one line; with those of one that died it starts',
    { timeout: 60_000 },
    async () => {
      const data = join(directory, 'data');
      const first = await start('--name', 'a', '--data', data);
      fails(
        await caravan(['run', '--name', 'b', '--data', join(data, '..', 'data')], env),
        new RegExp(
          `A site already runs with the data in ${data} \\(pid ${first.process.pid}\\): stop it first, or give this one another --data\\.`,
        ),
      );
      const { id } = (await status('--socket', 'a')).site;
      first.process.kill('SIGKILL');
      await first.ended;
      const second = await start('--name', 'b', '--data', data);
      assert.equal((await status('--socket', 'b')).site.id, id);
      await second.stop();
      assert.ok(!(await readdir(data)).some((file) => file.startsWith('.')), 'nothing is left of it');
      // After a restart of the computer somebody else has the pid, and perhaps even the socket's place.
      for (const socket of [join(directory, 'nobody.sock'), join(directory, 'run', 'c.sock')]) {
        await writeFile(join(data, '.lock'), JSON.stringify({ pid: process.pid, socket }));
        await (await start('--name', 'c', '--data', data)).stop();
      }
      await writeFile(join(data, '.lock'), '{"pid":');
      await start('--name', 'c', '--data', data);
    },
  );

  test('of two that start at once with the same data one runs', async () => {
    const data = join(directory, 'data');
    const both = ['a', 'b', 'c'].map((name) => new Foreground(['run', '--name', name, '--data', data], env));
    running.push(...both);
    const outcomes = await Promise.allSettled(both.map((one) => one.prints(/is ready/)));
    assert.deepEqual(outcomes.map(({ status: outcome }) => outcome).sort(), ['fulfilled', 'rejected', 'rejected']);
  });

  test('ends when told through its API, when its standard input closes, and at once at the second signal', async () => {
    const stopped = await start('--name', 'a');
    assert.equal((await caravan(['stop'], env)).out, 'a has stopped.\n');
    assert.equal(await stopped.ended, 0);

    const child = await start('--name', 'b', '--until-stdin-closes');
    child.process.stdin?.end();
    assert.equal(await child.ended, 0);

    const echo = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => void echo.listen(0, '127.0.0.1', resolve));
    const draining = await start('--name', 'c');
    await caravan(['expose', 'echo', '--port', String((echo.address() as AddressInfo).port)], env);
    const { out } = await caravan(['listen', 'echo', '--port', '0', '-o', 'json'], env);
    const held = connect((JSON.parse(out) as { port: number }).port, '127.0.0.1');
    held.on('error', () => {}).write('x');
    await new Promise((resolve) => held.once('data', resolve));
    draining.process.kill('SIGTERM');
    await sleep(300);
    assert.equal(draining.process.exitCode, null, 'a connection that is up may go on');
    draining.process.kill('SIGTERM');
    assert.equal(await draining.ended, 143);
    held.destroy();
    echo.close();
  });
});

describe('a network of two', () => {
  test('is made with a token, carries traffic both ways, and bad tokens get one sentence', async () => {
    await start('--config', await configure('west', ACCESS));
    await start('--name', 'east');
    const west = ['--socket', 'west'];
    const east = ['--socket', 'east'];
    const token = join(directory, 'west.yaml');

    await writeFile(token, 'not a token');
    fails(await caravan(['token', 'redeem', token, ...east], env), /token/i);
    await caravan(['token', 'issue', '--expires', '1ms', '-o', token, ...west], env);
    fails(await caravan(['token', 'redeem', token, ...east], env), /expired/);

    const issued = await caravan(['token', 'issue', '-o', token, ...west], env);
    assert.match(issued.out, /lets in 1 site within 15 minutes/);
    const redeemed = await caravan(['token', 'redeem', token, ...east], env);
    assert.equal(redeemed.err, '');
    assert.match(redeemed.out, /^Linked with west: the link \S+ is up\.\n$/);
    fails(await caravan(['token', 'redeem', token, '--name', 'again', ...east], env), /used up/);
    fails(await caravan(['token', 'issue', ...east], env), /east .*no RouterAccess.* at the other site\.\n$/);

    const greeter = createServer((socket) => socket.end('hello\n'));
    await new Promise<void>((resolve) => void greeter.listen(0, '127.0.0.1', resolve));
    const { port } = greeter.address() as AddressInfo;
    assert.match((await caravan(['expose', 'greeter', '--port', String(port), ...east], env)).out, /^greeter is exposed/);
    fails(
      await caravan(['listen', 'greeter', '--port', String(port), ...west], env),
      new RegExp(`${port}.*in use|in use.*${port}`),
    );
    const { out } = await caravan(['listen', 'greeter', '--port', '0', '-o', 'json', ...west], env);
    const answer = await new Promise<string>((resolve, reject) => {
      connect((JSON.parse(out) as { port: number }).port, '127.0.0.1')
        .on('data', (data) => resolve(String(data)))
        .on('error', reject);
    });
    assert.equal(answer, 'hello\n');
    greeter.close();
    assert.match((await caravan(['services', ...west], env)).out, /greeter +tcp +\d+ +balanced +east +127\.0\.0\.1:\d+/);
    assert.match((await caravan(['explain', 'greeter', ...west], env)).out, /greeter/);

    assert.match((await caravan(['revoke', 'east', ...west], env)).out, /^east is let in no more: 1 certificate revoked/);
    for (let i = 0; i < 100 && (await status(...west)).links.some(({ state }) => state === 'up'); i++) await sleep(50);
    const [link] = (await status(...east)).links;
    assert.notEqual(link?.state, 'up');
    assert.match((await caravan(['links', ...east], env)).out, /\n! /);
    assert.equal((await caravan(['remove', 'link', link?.id ?? '', ...east], env)).code, 0);
    assert.match((await caravan(['links', ...east], env)).out, /no links yet/);
  });
});
