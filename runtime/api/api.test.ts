import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../test/support/until.ts';
import { FakeSite } from '../../test/support/fake-site.ts';
import { CaravanError } from '../errors.ts';
import { ApiClient } from './client.ts';
import { ApiServer } from './server.ts';
import type { Status } from './types.ts';

let directory: string;
let path: string;
let site: FakeSite;
let server: ApiServer;
let client: ApiClient;
let stopped: number;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'api-'));
});
after(() => rm(directory, { recursive: true }));
beforeEach(async () => {
  path = join(directory, 'site.sock');
  site = new FakeSite();
  stopped = 0;
  server = new ApiServer({ stop: () => stopped++, keepAliveMs: 50 });
  server.attach(site);
  await server.listenOnSocket(path);
  client = ApiClient.overSocket(path);
});
afterEach(() => server.close());

const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CaravanError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  assert.equal(error.message.split('\n').length, 1);
  return true;
};

/** What the server says to a request as it stands. */
function raw(
  method: string,
  at: string,
  body = '',
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, method, path: at, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

describe('a call', () => {
  test('reaches the site and brings its answer back', async () => {
    assert.deepEqual(await client.status(), site.state);
    assert.equal((await client.explain('a/b c')).address, 'a/b c');
    assert.equal((await client.issueToken({ expires: '1h30m', uses: 3 })).name, 'token-1');
    const portForward = { context: 'kind-west', namespace: 'shop' };
    assert.deepEqual(await client.redeemToken({ yaml: 'x', cost: 2, portForward }), { link: 'west', peer: 'west' });
    const connector = await client.expose({
      address: 'orders',
      port: 5432,
      host: 'db.local',
      type: 'tcp',
      distribution: 'closest',
    });
    assert.deepEqual(connector, { kind: 'Connector', name: 'orders' });
    const listener = await client.listen({ address: 'backend', port: 0 });
    assert.deepEqual(await client.openProxy({ port: 1080 }), { host: '127.0.0.1', port: 1080 });
    await client.closeProxy();
    await client.remove(connector);
    await client.remove(listener);
    await client.remove({ kind: 'Link', name: 'west' });
    assert.equal(await client.revoke('west'), 2);
    assert.deepEqual(site.calls, [
      { name: 'explain', argument: 'a/b c' },
      { name: 'issueToken', argument: { expires: '1h30m', uses: 3 } },
      { name: 'redeemToken', argument: { yaml: 'x', cost: 2, portForward } },
      { name: 'expose', argument: { address: 'orders', port: 5432, host: 'db.local', type: 'tcp', distribution: 'closest' } },
      { name: 'listen', argument: { address: 'backend', port: 0 } },
      { name: 'openProxy', argument: { port: 1080 } },
      { name: 'closeProxy', argument: undefined },
      { name: 'remove', argument: { kind: 'Connector', name: 'orders' } },
      { name: 'remove', argument: { kind: 'Listener', name: 'backend' } },
      { name: 'remove', argument: { kind: 'Link', name: 'west' } },
      { name: 'revoke', argument: 'west' },
    ]);
  });

  test('fails with the code and the sentence of the site', async () => {
    site.failure = new CaravanError('token-used-up', 'the token was used up 3 minutes ago (1 of 1).');
    await assert.rejects(client.redeemToken({ yaml: 'x' }), fails('token-used-up', /^the token was used up 3 minutes ago/));
    await assert.rejects(client.remove({ kind: 'Link', name: 'missing' }), fails('not-found', /no Link missing/));
  });

  test('tells a defect of the site apart', async () => {
    site.failure = new TypeError('x is not a function');
    await assert.rejects(client.revoke('west'), fails('internal', /because of a defect in it: x is not a function/));
  });

  test('ends when its signal is aborted', async () => {
    site.redeemToken = () => new Promise(() => {});
    await assert.rejects(client.redeemToken({ yaml: 'x' }, AbortSignal.timeout(50)), { name: 'TimeoutError' });
    await assert.rejects(client.status(AbortSignal.abort(new Error('gone'))), /gone/);
  });

  test('works over any connection, and on a port', async () => {
    const port = await server.listenOnPort(0);
    const overTcp = new ApiClient(async () => connect(port, '127.0.0.1'));
    assert.equal((await overTcp.status()).site.name, 'laptop');
  });

  test('says that nobody answers', async () => {
    await server.close();
    await assert.rejects(client.status(), fails('not-running', /^No site runs at .*site\.sock: start one with "caravan run"\.$/));
    await assert.rejects(client.watch().next(), fails('not-running', /No site runs/));
  });

  test('says that something else answers', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    const at = join(directory, 'other.sock');
    await new Promise<void>((resolve) => void other.listen(at, resolve));
    await assert.rejects(ApiClient.overSocket(at).status(), fails('unreachable', /not a site of Caravan/));
    other.close();
  });

  test('is told that the site is still starting', async () => {
    const starting = new ApiServer();
    const at = join(directory, 'starting.sock');
    await starting.listenOnSocket(at);
    await assert.rejects(ApiClient.overSocket(at).status(), fails('not-running', /still starting/));
    await starting.close();
  });
});

describe('a bad request', () => {
  const bad: [string, string, string, RegExp][] = [
    ['POST', '/v1/tokens', '{"uses": 0}', /"uses" is 0; it must be a whole number from 1 to 10000\./],
    ['POST', '/v1/tokens', '{"expires": "soon"}', /"expires" is "soon"; it must be a duration such as/],
    ['POST', '/v1/tokens', '{"usage": 1}', /"usage" is not known here/],
    ['POST', '/v1/links', '{}', /"yaml" is missing/],
    ['POST', '/v1/links', '{"yaml": "x", "portForward": {"context": "a"}}', /"portForward.namespace" is missing/],
    ['POST', '/v1/connectors', '{"address": "a b", "port": 1}', /"address" is "a b"; it may have letters/],
    ['POST', '/v1/connectors', '{"address": "a", "port": "80"}', /"port" is "80"; it must be a whole number/],
    ['POST', '/v1/connectors', '{"address": "a", "port": 70000}', /from 1 to 65535/],
    ['POST', '/v1/listeners', '{"address": "a", "port": 1, "type": "ftp"}', /"type" is "ftp"; it must be one of tcp/],
    ['POST', '/v1/listeners', 'not json', /not valid JSON/],
    ['POST', '/v1/listeners', '[1]', /is missing|must be one JSON object/],
    ['POST', '/v1/revoke', '', /"site" is missing/],
  ];
  for (const [method, at, body, message] of bad)
    test(`${method} ${at} ${body || 'without a body'} gets one sentence`, async () => {
      const answer = await raw(method, at, body);
      assert.equal(answer.status, 400);
      const error = JSON.parse(answer.body) as { code: string; message: string };
      assert.equal(error.code, 'bad-request');
      assert.match(error.message, message);
      assert.deepEqual(site.calls, []);
    });

  test('to an unknown route gets 404', async () => {
    for (const at of ['/', '/v1', '/v1/nothing', '/v1/explain/', '/v1/explain/%zz', '/v1/explain/:name/x', '/v2/status'])
      assert.equal((await raw('GET', at)).status, 404, at);
    assert.equal((await raw('DELETE', '/v1/status')).status, 404);
  });

  test('that is too large gets an answer, not a broken connection', async () => {
    const answer = await raw('POST', '/v1/links', JSON.stringify({ yaml: 'x'.repeat(3 * 1024 * 1024) }));
    assert.equal(answer.status, 400);
    assert.match(answer.body, /larger than 1048576 bytes/);
  });

  test('without an end in size is answered or cut off, and the next one works', async () => {
    const outcome = await raw('POST', '/v1/links', 'x'.repeat(40 * 1024 * 1024)).catch((error: Error) => error);
    if (outcome instanceof Error) assert.match(outcome.message, /EPIPE|ECONNRESET|hang up/);
    else assert.equal(outcome.status, 400);
    assert.equal((await client.status()).site.name, 'laptop');
  });

  test('on a port under another name is refused: a page may have made that name lead here', async () => {
    const port = await server.listenOnPort(0);
    const asked = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, path: '/v1/status', headers: { host }, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject).end();
      });
    for (const host of ['127.0.0.1', `127.0.0.1:${port}`, 'localhost:1', 'LOCALHOST', 'caravan'])
      assert.equal(await asked(host), 200, host);
    for (const host of ['example.org', `example.org:${port}`, '127.0.0.1.example.org', 'localhost.example.org'])
      assert.equal(await asked(host), 403, host);
    assert.equal((await raw('GET', '/v1/status', '', { host: 'anything' })).status, 200, 'no page reaches the socket');
  });

  test('from a web page is refused', async () => {
    assert.equal((await raw('GET', '/v1/status', '', { origin: 'https://example.org' })).status, 403);
  });
});

describe('a watch', () => {
  test('gives the status at once and after every change, and ends with its signal', async () => {
    const abort = new AbortController();
    const names: string[] = [];
    for await (const status of client.watch(abort.signal)) {
      names.push(status.site.version);
      if (names.length === 3) abort.abort();
      site.change({ site: { ...site.state.site, version: `0.${names.length}` } });
    }
    assert.deepEqual(names, ['0.1.0', '0.1', '0.2']);
    await until('it to be left', () => site.watchers.size === 0);
  });

  test('puts a burst of changes into few lines', async () => {
    const begun = performance.now();
    const abort = new AbortController();
    const ids: number[] = [];
    const reading = (async () => {
      for await (const status of client.watch(abort.signal)) {
        ids.push(status.router.pid);
        if (status.router.pid === 500) abort.abort();
      }
    })();
    for (let pid = 1; pid <= 500; pid++) {
      site.change({ router: { ...site.state.router, pid } });
      if (pid % 10 === 0) await sleep(5);
    }
    await reading;
    assert.equal(ids.at(-1), 500);
    // One every 100 ms, the first and the last besides.
    const most = 3 + (performance.now() - begun) / 100;
    assert.ok(ids.length <= most, `${ids.length} lines, not ${most}`);
  });

  test('queues nothing for a reader that does not read', async () => {
    const slow = connect(path);
    slow.pause();
    slow.write('GET /v1/watch HTTP/1.1\r\nhost: x\r\n\r\n');
    let asked = 0;
    const big = 'x'.repeat(1024 * 1024);
    site.status = (): Status => {
      asked++;
      return { ...site.state, site: { ...site.state.site, id: big + asked } };
    };
    for (let i = 0; i < 8; i++) {
      await sleep(110);
      site.change({});
    }
    assert.ok(asked <= 3, `the status was asked ${asked} times`);
    slow.destroy();
  });

  test('outlives silence thanks to empty lines, and ends when the site stops', async () => {
    let lines = 0;
    let closing: Promise<void> | undefined;
    for await (const _ of client.watch()) {
      lines++;
      // Four times as long as between two empty lines.
      closing = sleep(200).then(() => server.close());
    }
    await closing;
    assert.equal(lines, 1);
  });

  test('says that the connection broke', async () => {
    const breaking = createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{}\n\r\n');
      setTimeout(() => socket.destroy(), 50);
    });
    const at = join(directory, 'breaking.sock');
    await new Promise<void>((resolve) => void breaking.listen(at, resolve));
    const watch = ApiClient.overSocket(at).watch();
    assert.deepEqual((await watch.next()).value, {});
    await assert.rejects(watch.next(), fails('unreachable', /connection to the site broke/));
    breaking.close();
  });
});

describe('an intercept that is held', () => {
  const wanted = { address: 'backend', port: 3000 };
  const names = () => site.calls.map(({ name }) => name);

  test('goes with its connection', async () => {
    const held = new AbortController();
    const made = await client.interceptWhile(wanted, held.signal);
    assert.deepEqual(made, { kind: 'Connector', name: 'intercept-backend' });
    assert.deepEqual(names(), ['intercept']);
    held.abort();
    await until('it to go', () => names().length === 2);
    assert.deepEqual(site.calls[1], { name: 'remove', argument: made });
  });

  test('stays while the connection does, however long nothing is said', async () => {
    const held = new AbortController();
    await client.interceptWhile(wanted, held.signal);
    // Three times as long as between two empty lines.
    await sleep(150);
    assert.deepEqual(names(), ['intercept']);
    held.abort();
    await until('it to go', () => names().length === 2);
  });

  test('is held no more by who is replaced', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    await client.interceptWhile(wanted, first.signal);
    await client.interceptWhile(wanted, second.signal);
    first.abort();
    second.abort();
    await until('the second to go', () => names().includes('remove'));
    assert.deepEqual(names(), ['intercept', 'intercept', 'remove']);
  });

  test('goes at once where its caller has gone before it was made', async () => {
    let make: (() => void) | undefined;
    const intercept = site.intercept.bind(site);
    site.intercept = async (asking) => {
      await new Promise<void>((resolve) => (make = resolve));
      return intercept(asking);
    };
    const held = new AbortController();
    const asked = client.interceptWhile(wanted, held.signal);
    await until('the call', () => make !== undefined);
    held.abort();
    await assert.rejects(asked);
    make!();
    await until('it to go', () => names().includes('remove'));
  });

  test('that the site ends is told to its holder', async () => {
    let lost = 0;
    await client.interceptWhile(wanted, new AbortController().signal, () => lost++);
    await server.close();
    await until('it to be told', () => lost === 1);
  });

  test('stays where it is made again without a holder, and where the site ends', async () => {
    const held = new AbortController();
    await client.interceptWhile(wanted, held.signal);
    await client.intercept(wanted);
    held.abort();
    await client.interceptWhile(wanted, new AbortController().signal);
    await server.close();
    assert.deepEqual(names(), ['intercept', 'intercept', 'intercept']);
  });

  test('that cannot be had is told as any other', async () => {
    site.failure = new CaravanError('not-found', 'No other site offers backend.');
    const { signal } = new AbortController();
    await assert.rejects(client.interceptWhile(wanted, signal), fails('not-found', /No other site offers backend/));
  });
});

describe('stop', () => {
  test('is answered first and done then', async () => {
    await client.stop();
    await sleep(20);
    assert.equal(stopped, 1);
  });
});

describe('the socket', () => {
  test('is for this user alone', async () => {
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('of a site that runs is not taken over', async () => {
    await assert.rejects(new ApiServer().listenOnSocket(path), fails('conflict', /A site already runs at/));
    assert.equal((await client.status()).site.name, 'laptop');
  });

  test('that a crash left behind is replaced', async () => {
    const at = join(directory, 'stale.sock');
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    assert.ok((await stat(at)).isSocket());
    const next = new ApiServer();
    next.attach(site);
    await next.listenOnSocket(at);
    assert.equal((await ApiClient.overSocket(at).status()).site.name, 'laptop');
    await next.close();
    await assert.rejects(stat(at), { code: 'ENOENT' });
  });

  test('goes to one only of two that start together', async () => {
    const at = join(directory, 'race.sock');
    const servers = Array.from({ length: 5 }, () => new ApiServer());
    const outcomes = await Promise.allSettled(servers.map((one) => one.listenOnSocket(at)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    await Promise.all(servers.map((one) => one.close()));
  });

  test('does not replace a file that is none', async () => {
    const at = join(directory, 'plain.txt');
    await (await import('node:fs/promises')).writeFile(at, 'mine');
    await assert.rejects(new ApiServer().listenOnSocket(at), fails('conflict', /is not a socket/));
  });

  test('with a path that is too long gets a sentence', async () => {
    const at = join(directory, 'x'.repeat(120));
    await assert.rejects(new ApiServer().listenOnSocket(at), fails('bad-request', /no more than 103 work/));
    await assert.rejects(ApiClient.overSocket(at).status(), fails('not-running', /No site runs/));
  });
});
