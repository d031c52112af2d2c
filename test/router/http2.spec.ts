/** HTTP/2 and gRPC through real routers: a client's site, and two sites with servers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { askHttp2, dialHttp2, H2Server, says } from '../../runtime/protocols/http2/ends.testkit.ts';
import { ensureSystemPackages, findCommand } from '../../scripts/system-packages.mjs';
import { until } from '../support/until.ts';
import { type EchoHandlers, GrpcClient, type GrpcServer, startGrpcServer } from './grpc.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

const MIB = 1024 * 1024;
const run = promisify(execFile);
const type = 'http2';

function answered(): never {
  assert.fail('it was answered');
}

async function listenHttp2(site: SiteProcess, address: string): Promise<number> {
  const { name } = await site.api.listen({ address, port: 0, type });
  return site.status('the listener', ({ listeners }) => {
    const found = listeners.find((listener) => listener.name === name);
    return found?.state === 'open' && found.port;
  });
}

describe('gRPC through three sites', () => {
  let sites: SiteProcesses;
  let port: number;
  let client: GrpcClient;
  const servers: GrpcServer[] = [];
  /** What the server at each site has taken, and calls that were cancelled there. */
  const taken = { east: 0, west: 0 };
  let cancelled = 0;
  let release = (): void => {};
  let released = Promise.resolve();

  function handlers(site: 'east' | 'west'): EchoHandlers {
    return {
      one: (call, reply) => {
        taken[site]++;
        call.on('cancelled', () => cancelled++);
        const metadata = new Metadata();
        metadata.set('site', site);
        const text = call.request.toString('utf8', 0, 20);
        if (text === 'fail') {
          metadata.set('detail-bin', Buffer.of(0, 1, 255));
          return reply({ code: status.FAILED_PRECONDITION, details: 'not today: 100 % no, ünlikely', metadata });
        }
        if (text === 'hang') return undefined;
        if (text === 'hold') return void released.then(() => reply(null, Buffer.from(site)));
        call.sendMetadata(call.metadata.clone());
        return reply(null, call.request, metadata);
      },
      collect: (call, reply) => {
        let all = 0;
        call.on('data', (message: Buffer) => (all += message.length));
        call.on('end', () => reply(null, Buffer.from(String(all))));
      },
      several: (call) => {
        let left = Number(call.request.toString());
        const more = (): void => {
          while (left-- > 0) if (!call.write(Buffer.alloc(1000, 'x'))) return void call.once('drain', more);
          return void call.end();
        };
        more();
      },
      chat: (call) => {
        call.on('data', (message: Buffer) => call.write(message));
        call.on('end', () => call.end());
        call.on('cancelled', () => cancelled++);
      },
    };
  }

  before(async () => {
    sites = await SiteProcesses.make();
    const [middle, east, west] = await sites.start('middle', 'east', 'west');
    for (const site of [east, west]) {
      await sites.link(site, middle);
      const server = await startGrpcServer(handlers(site.name as 'east' | 'west'));
      servers.push(server);
      await site.api.expose({ address: 'echo', port: server.port, type });
    }
    await middle.status('both servers', ({ services }) => services[0]?.destinations.length === 2);
    port = await listenHttp2(middle, 'echo');
    client = new GrpcClient(port);
  });
  after(async () => {
    client?.close();
    await sites.stop();
    servers.forEach((server) => server.stop());
  });

  it('answers a call, with metadata before and after', async () => {
    const metadata = new Metadata();
    metadata.set('tenant', 'blue');
    metadata.set('token-bin', Buffer.of(0, 128, 255));
    metadata.add('many', 'a');
    metadata.add('many', 'b');
    const { call, answer } = client.one(Buffer.from('hello'), metadata);
    const first = new Promise<Metadata>((resolve) => call.once('metadata', resolve));
    const last = new Promise<Metadata>((resolve) => call.once('status', (ending) => resolve(ending.metadata)));
    assert.equal((await answer).toString(), 'hello');
    const headers = await first;
    assert.deepEqual(headers.get('tenant'), ['blue']);
    assert.deepEqual(headers.get('token-bin'), [Buffer.of(0, 128, 255)]);
    assert.equal(headers.get('many').join(', '), 'a, b');
    assert.match(String((await last).get('site')[0]), /^east|west$/);
  });

  it('spreads the calls of one channel over the servers of both sites', async () => {
    Object.assign(taken, { east: 0, west: 0 });
    for (let at = 0; at < 10; at++) await client.one(Buffer.from('x'), new Metadata()).answer;
    assert.deepEqual(taken, { east: 5, west: 5 });
    released = new Promise((resolve) => (release = resolve));
    const held = Array.from({ length: 20 }, () => client.one(Buffer.from('hold'), new Metadata()).answer);
    await until('all of them at the servers', () => taken.east + taken.west === 30);
    assert.deepEqual(taken, { east: 15, west: 15 });
    release();
    await Promise.all(held);
  });

  it('passes on status codes, their words, and trailing metadata', async () => {
    const { answer } = client.one(Buffer.from('fail'), new Metadata());
    const error = await answer.then(answered, (reason: ServiceError) => reason);
    assert.equal(error.code, status.FAILED_PRECONDITION);
    assert.equal(error.details, 'not today: 100 % no, ünlikely');
    assert.deepEqual(error.metadata.get('detail-bin'), [Buffer.of(0, 1, 255)]);
  });

  it('passes on a deadline: the server learns that the client waits no longer', async () => {
    cancelled = 0;
    const seen = taken.east + taken.west;
    const { answer } = client.one(Buffer.from('hang'), new Metadata(), { deadline: Date.now() + 3000 });
    const ended = assert.rejects(answer, { code: status.DEADLINE_EXCEEDED });
    await until('the server to see it', () => taken.east + taken.west > seen);
    await ended;
    await until('the server to learn it', () => cancelled === 1);
  });

  it('passes on a cancellation', async () => {
    cancelled = 0;
    const seen = taken.east + taken.west;
    const { call, answer } = client.one(Buffer.from('hang'), new Metadata());
    await until('the server to see it', () => taken.east + taken.west > seen);
    call.cancel();
    await assert.rejects(answer, { code: status.CANCELLED });
    await until('the server to learn it', () => cancelled === 1);
  });

  it('carries 8 MiB there and back', async () => {
    const message = Buffer.alloc(8 * MIB, 'abcdefg');
    assert.ok((await client.one(message, new Metadata()).answer).equals(message));
  });

  it('carries a stream of messages to the server', async () => {
    const { call, answer } = client.collect();
    for (let at = 0; at < 1000; at++) call.write(Buffer.alloc(1000));
    call.end();
    assert.equal((await answer).toString(), '1000000');
  });

  it('carries a stream of messages from the server', async () => {
    let messages = 0;
    const call = client.several(Buffer.from('2000'));
    call.on('data', () => messages++);
    const ending = await new Promise<{ code: number }>((resolve) => call.once('status', resolve));
    assert.deepEqual([messages, ending.code], [2000, status.OK]);
  });

  it('carries a conversation, message by message', async () => {
    const call = client.chat();
    for (let at = 0; at < 20; at++) {
      const heard = new Promise<Buffer>((resolve) => call.once('data', resolve));
      call.write(Buffer.from(`word ${at}`));
      assert.equal((await heard).toString(), `word ${at}`);
    }
    const ending = new Promise<{ code: number }>((resolve) => call.once('status', resolve));
    call.end();
    assert.equal((await ending).code, status.OK);
  });

  it('says UNAVAILABLE, with the reason, when all servers have gone', async () => {
    servers.splice(0).forEach((server) => server.stop());
    const { answer } = client.one(Buffer.from('x'), new Metadata());
    const error = await answer.then(answered, (reason: ServiceError) => reason);
    assert.equal(error.code, status.UNAVAILABLE);
    assert.match(error.details, /^echo did not answer: at (east|west), 127\.0\.0\.1:\d+ refuses connections\.$/);
  });
});

describe('a server at another site that speaks HTTP/1.1 only', () => {
  let sites: SiteProcesses;
  let client: ClientHttp2Session;
  let connections = 0;
  const server = createServer((request, response) => {
    response.setHeader('x-path', String(request.url));
    request.pipe(response);
  });

  before(async () => {
    sites = await SiteProcesses.make();
    const [here, there] = await sites.start('here', 'there');
    await sites.link(there, here);
    server.on('connection', () => connections++);
    // Its own pause between two requests is none of what is tested.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await there.api.expose({ address: 'old', port: (server.address() as AddressInfo).port, type });
    client = dialHttp2(await listenHttp2(here, 'old'));
  });
  after(async () => {
    client?.destroy();
    await sites.stop();
    server.closeAllConnections();
    server.close();
  });

  it('answers clients of HTTP/2 all the same, on connections that are kept', async () => {
    for (let at = 0; at < 5; at++) {
      const body = 'x'.repeat(at * MIB);
      const answer = await askHttp2(client, { ':method': 'POST', ':path': `/${at}` }, body);
      assert.deepEqual([answer.headers[':status'], answer.headers['x-path'], answer.body === body], [200, `/${at}`, true]);
    }
    // The first was an attempt in HTTP/2.
    assert.equal(connections, 2);
  });
});

describe('HTTP/2 through two sites', { skip: await whyNoNghttp2() }, () => {
  let sites: SiteProcesses;
  let server: H2Server;
  let port: number;

  before(async () => {
    sites = await SiteProcesses.make();
    const [here, there] = await sites.start('here', 'there');
    await sites.link(there, here);
    server = await H2Server.start(says('from there'));
    await there.api.expose({ address: 'web', port: server.port, type });
    port = await listenHttp2(here, 'web');
  });
  after(async () => {
    await sites.stop();
    await server?.stop();
  });

  it('answers nghttp, also with fields of many frames and with a body', async () => {
    const url = `http://127.0.0.1:${port}/`;
    const { stdout } = await run('nghttp', ['--no-dep', '--continuation', `--data=${import.meta.filename}`, url], {
      maxBuffer: 64 * MIB,
    });
    assert.match(stdout, /from there/);
  });

  it('answers all of 10,000 requests of h2load, on 8 connections with 32 at a time each', async () => {
    const { stdout } = await run('h2load', ['-n', '10000', '-c', '8', '-m', '32', `http://127.0.0.1:${port}/`]);
    console.log(`# ${/finished in .*/.exec(stdout)?.[0]}`);
    assert.match(stdout, /10000 succeeded, 0 failed, 0 errored, 0 timeout/);
    assert.match(stdout, /10000 2xx/);
  });
});

/** Why the programs of nghttp2 are not there, for skipping; undefined where they are. */
async function whyNoNghttp2(): Promise<string | undefined> {
  try {
    await ensureSystemPackages({ nghttp: 'nghttp2-client', h2load: 'nghttp2-client' }, console.error);
    return findCommand('h2load') ? undefined : 'nghttp2-client brought no h2load';
  } catch (error) {
    return (error as Error).message;
  }
}
