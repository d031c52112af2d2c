/** nginx, and clients of the web. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import { Pair, run, whyNot } from './pair.ts';

const MIB = 1024 * 1024;
const skip = await whyNot({ nginx: 'nginx', curl: 'curl', wrk: 'wrk', nghttp: 'nghttp2-client', h2load: 'nghttp2-client' });

/** Node's own EventSource prints what it hears, over two connections: the first one ends. */
const LISTEN_TO_EVENTS = `
  const source = new EventSource(process.argv[1]);
  // Its timer alone would not keep Node alive until it connects again.
  const alive = setInterval(() => {}, 1000);
  let heard = 0;
  source.addEventListener('news', ({ data, lastEventId }) => {
    console.log(lastEventId, data);
    if (++heard < 4) return;
    source.close();
    clearInterval(alive);
  });`;

describe('nginx', { skip }, () => {
  let pair: Pair;
  let folder: string;
  const large = randomBytes(8 * MIB);
  /** Here, by type. */
  const ports = { tcp: 0, http: 0, http2: 0 };

  before(async () => {
    pair = await Pair.start();
    folder = join(pair.folder, 'nginx');
    await mkdir(join(folder, 'files'), { recursive: true });
    await writeFile(join(folder, 'files', 'large'), large);
    const [server, server2] = [await freePort(), await freePort()];
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${folder}/${each};`);
    const events = String.raw`retry: 10\nid: 1\nevent: news\ndata: one\n\nid: 2\nevent: news\ndata: two\n\n`;
    const locations = `root ${folder}/files; client_max_body_size 64m; dav_methods PUT;
      location = /hello { return 200 "hello from nginx\\n"; }
      location = /events { default_type text/event-stream; return 200 "${events}"; }`;
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events { worker_connections 4096; }
      http { access_log off; ${folders.join(' ')}
        server { listen 127.0.0.1:${server}; ${locations} }
        server { listen 127.0.0.1:${server2} http2; ${locations} } }`,
    );
    await pair.serve('nginx', ['-c', join(folder, 'nginx.conf'), '-e', 'stderr'], server);
    ports.tcp = await pair.carry('web-tcp', server, 'tcp');
    ports.http = await pair.carry('web', server, 'http');
    ports.http2 = await pair.carry('web-2', server2, 'http2');
  });
  after(() => pair.stop());

  const url = (type: keyof typeof ports, path: string) => `http://127.0.0.1:${ports[type]}${path}`;

  for (const [type, ...version] of [
    ['tcp'],
    ['http', '--http1.1'],
    ['http2', '--http2-prior-knowledge'],
    ['http2', '--http1.1'],
  ] as const)
    describe(`as ${type}, with curl ${version.join(' ')}`, () => {
      const curl = (...args: string[]) => run('curl', ['-sS', '--fail', ...version, ...args]);

      it('answers, with the version that was asked for', async () => {
        const output = await curl('-w', '%{http_code} %{http_version}', url(type, '/hello'));
        assert.equal(output, `hello from nginx\n200 ${version[0] === '--http2-prior-knowledge' ? 2 : 1.1}`);
      });

      it('gives a file, whole and in part', async () => {
        const file = join(folder, 'got');
        await curl('-o', file, url(type, '/large'));
        assert.ok(large.equals(await readFile(file)));
        await curl('-o', file, '-r', '100-1099', url(type, '/large'));
        assert.ok(large.subarray(100, 1100).equals(await readFile(file)));
      });

      it('takes a file', async () => {
        await curl('-T', join(folder, 'files', 'large'), url(type, '/taken'));
        assert.ok(large.equals(await readFile(join(folder, 'files', 'taken'))));
      });

      it('answers HEAD', async () => {
        assert.match(await curl('-I', url(type, '/large')), new RegExp(`content-length: ${large.length}`, 'i'));
      });

      // Debian's curl 7.88 fails at the second one with prior knowledge, at nginx itself as well; h2load asks so below.
      if (version[0] === '--http2-prior-knowledge') return;
      it('answers several requests on one connection', async () => {
        const many = Array.from({ length: 10 }, () => url(type, '/hello'));
        assert.equal(await curl('-w', '%{num_connects} ', ...many), `hello from nginx\n1 ${'hello from nginx\n0 '.repeat(9)}`);
      });
    });

  for (const type of ['tcp', 'http'] as const)
    it(`has no failed request of wrk as ${type}, 64 connections at a time`, async () => {
      const output = await run('wrk', ['-t', '1', '-c', '64', '-d', '2s', url(type, '/hello')]);
      console.log(`# ${/Requests\/sec:.*/.exec(output)?.[0]}`);
      assert.match(output, /\d+ requests in/);
      assert.doesNotMatch(output, /Non-2xx|Socket errors/);
    });

  it('has all requests of h2load', async () => {
    const output = await run('h2load', ['-n', '5000', '-c', '10', '-m', '20', url('http2', '/hello')]);
    assert.match(output, /5000 succeeded, 0 failed, 0 errored, 0 timeout/);
  });

  it('gives nghttp a file, and takes one', async () => {
    assert.match(await run('nghttp', ['-ns', url('http2', '/large')]), / 200 +8M? */);
    await run('nghttp', ['-n', '-H', ':method: PUT', '-d', join(folder, 'files', 'large'), url('http2', '/taken-2')]);
    assert.ok(large.equals(await readFile(join(folder, 'files', 'taken-2'))));
  });

  for (const type of ['http', 'http2'] as const)
    it(`is heard by an EventSource as ${type}, which connects again by itself`, async () => {
      const output = await run(process.execPath, ['--experimental-eventsource', '-e', LISTEN_TO_EVENTS, url(type, '/events')]);
      assert.equal(output, '1 one\n2 two\n'.repeat(2));
    });
});
