/** Messages with more fields than an end says it takes (SETTINGS_MAX_HEADER_LIST_SIZE): they cost themselves, and nobody else. */
import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import { afterEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import { answerOf, askHttp2, H2Server, type Serve, says } from './ends.testkit.ts';
import { openHttp2Listener } from './http2-listener.ts';
import { TestWay } from './way.testkit.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;
const LONG = { 'x-long': 'x'.repeat(2000) };
const GRPC = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

let way: TestWay;
let listener: ProtocolListener;
let client: ClientHttp2Session;
const servers: H2Server[] = [];

/** A server that takes, and a client that takes, fields of so many bytes. */
async function open(serve: Serve, serverTakes: number[], clientTakes?: number): Promise<void> {
  for (const maxHeaderListSize of serverTakes) servers.push(await H2Server.start(serve, { settings: { maxHeaderListSize } }));
  way = new TestWay(servers.map(({ port }) => port));
  listener = await openHttp2Listener('127.0.0.1', 0, way);
  client = connect(`http://127.0.0.1:${listener.port}`, clientTakes ? { settings: { maxHeaderListSize: clientTakes } } : {});
}

async function close(): Promise<void> {
  client.destroy();
  listener.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await until('every server to be given back', () => way.busy.size === 0);
  assert.equal(way.doneTwice, 0);
}

afterEach(close);

describe('a request with more fields than a server takes', () => {
  it('is answered 431, or RESOURCE_EXHAUSTED, without being sent', async () => {
    await open(says('here'), [1000]);
    const { headers, body } = await askHttp2(client, LONG);
    assert.equal(headers[':status'], 431);
    assert.match(body, /^orders did not answer: at east, 127\.0\.0\.1:\d+ takes no requests with so many header fields\.\n$/);
    const call = await askHttp2(client, { ...GRPC, ...LONG }, 'x');
    assert.deepEqual([call.headers[':status'], call.headers['grpc-status']], [200, '8']);
    assert.equal((await askHttp2(client)).body, 'here');
    assert.deepEqual([servers[0]!.requests.length, servers[0]!.sessions.length], [1, 1]);
  });

  it('goes to one that takes it', async () => {
    await open(says('here'), [1000, 10_000]);
    for (let at = 0; at < 2; at++) assert.equal((await askHttp2(client, LONG)).body, 'here');
    assert.deepEqual(
      servers.map(({ requests }) => requests.length),
      [0, 2],
    );
  });

  it('is counted as the protocol has it, to the byte', async () => {
    await open(says('here'), [10_000]);
    await askHttp2(client, { ':path': '/' });
    const fields = Object.entries(servers[0]!.requests[0]!);
    const size = fields.reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0);
    for (const [takes, status] of [
      [size, 200],
      [size - 1, 431],
    ] as const) {
      await close();
      // Ports, which are in the fields, have five digits here as there.
      await open(says('here'), [takes]);
      assert.equal((await askHttp2(client, { ':path': '/' })).headers[':status'], status);
    }
  });

  it('in its trailers is broken off', async () => {
    await open((stream) => void stream.resume().on('trailers', () => stream.respond({ ':status': 200 })), [1000]);
    const stream = client.request({ ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(LONG));
    stream.end('question');
    assert.equal((await answerOf(stream)).code, NGHTTP2_INTERNAL_ERROR);
    assert.equal(servers[0]!.sessions[0]!.destroyed, false);
  });
});

describe('a response with more fields than the client takes', () => {
  const answers =
    (fields: OutgoingHttpHeaders): Serve =>
    (stream, headers) => {
      if (headers[':path'] === '/short') return says('short')(stream, headers);
      stream.additionalHeaders({ ':status': 103, ...LONG });
      stream.respond({ ':status': 200, ...fields });
      return stream.end('long');
    };

  it('is replaced by 502, or RESOURCE_EXHAUSTED, and the connection goes on', async () => {
    await open(answers(LONG), [10_000], 1000);
    const { headers, informed, body } = await askHttp2(client);
    assert.deepEqual([headers[':status'], informed], [502, []]);
    assert.match(body, /answered with more header fields than the client takes/);
    const call = await askHttp2(client, GRPC, 'x');
    assert.deepEqual([call.headers[':status'], call.headers['grpc-status']], [200, '8']);
    assert.equal((await askHttp2(client, { ':path': '/short' })).body, 'short');
    assert.equal(way.clients, 1);
  });

  it('before the response alone has its response all the same', async () => {
    await open(answers({}), [10_000], 1000);
    const { headers, informed, body, code } = await askHttp2(client);
    assert.deepEqual([headers[':status'], informed, body, code], [200, [], 'long', NGHTTP2_NO_ERROR]);
  });

  it('is broken off where the client takes not even the news', async () => {
    await open(answers(LONG), [10_000], 40);
    assert.equal((await askHttp2(client)).code, NGHTTP2_INTERNAL_ERROR);
    assert.equal(client.destroyed, false);
  });

  it('in its trailers is broken off', async () => {
    await open(
      (stream) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(LONG));
        stream.end('body');
      },
      [10_000],
      1000,
    );
    const { body, code } = await askHttp2(client);
    assert.deepEqual([body, code], ['body', NGHTTP2_INTERNAL_ERROR]);
    assert.equal(client.destroyed, false);
  });
});
