import assert from 'node:assert/strict';
import { type ServerHttp2Stream, constants } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { askHttp2, says } from './ends.testkit.ts';
import { Frame, frame, PREFACE_BYTES, RawEnd, uint32 } from './raw-frames.testkit.ts';
import { deadPort, grpcFields, Stage } from './stage.testkit.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
const MIB = 1024 * 1024;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

describe('a server that fails', () => {
  it('to take a connection is replaced by the next', async () => {
    const server = await stage.serve(says('second'));
    await stage.open([await deadPort(), server.port]);
    assert.equal((await askHttp2(stage.client, { ':method': 'POST' }, 'x'.repeat(MIB))).body, 'second');
  });

  it('by refusing the stream is replaced by the next, with the body that was sent already', async () => {
    const refuses = await stage.serve((stream) => {
      stream.once('data', () => stream.close(NGHTTP2_REFUSED_STREAM));
    });
    const takes = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await stage.open([refuses.port, takes.port]);
    assert.equal((await askHttp2(stage.client, { ':method': 'POST' }, 'the body')).body, 'the body');
    assert.equal(refuses.requests.length, 1);
  });

  it('by refusing the stream after more than is kept of the body leaves the client with the refusal', async () => {
    const refuses = await stage.serve((stream) => {
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes === 100_000) stream.close(NGHTTP2_REFUSED_STREAM);
      });
    });
    const other = await stage.serve(says('second'));
    await stage.open([refuses.port, other.port]);
    const { code } = await askHttp2(stage.client, { ':method': 'POST' }, 'x'.repeat(100_000));
    assert.equal(code, NGHTTP2_REFUSED_STREAM);
    assert.equal(other.requests.length, 0);
  });

  it('before its response is replaced for a request that may be repeated, and not for another', async () => {
    const dies = await stage.serve(() => dies.cut());
    const lives = await stage.serve(says('second'));
    await stage.open([dies.port, lives.port]);
    assert.equal((await askHttp2(stage.client, { ':method': 'GET' })).body, 'second');
    await askHttp2(stage.client);
    const { headers, body } = await askHttp2(stage.client, { ':method': 'POST' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /^orders did not answer: at east, 127\.0\.0\.1:\d+ is gone: .+\.\n$/);
  });

  it('in the midst of its response resets the request', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('some', () => server.cut());
    });
    await stage.open([server.port]);
    const { headers, code } = await askHttp2(stage.client);
    assert.deepEqual([headers[':status'], code], [200, NGHTTP2_INTERNAL_ERROR]);
  });

  it('in the midst of a gRPC response ends it with UNAVAILABLE', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write('some', () => server.cut());
    });
    await stage.open([server.port]);
    const { trailers } = await askHttp2(stage.client, grpcFields(), 'x');
    assert.equal(trailers?.['grpc-status'], '14');
    assert.match(String(trailers['grpc-message']), /is gone/);
  });

  it('is told in one sentence when there is no other: 503, and UNAVAILABLE for gRPC', async () => {
    const port = await deadPort();
    await stage.open([port]);
    const { headers, body } = await askHttp2(stage.client, { ':method': 'POST' }, 'x'.repeat(MIB));
    assert.deepEqual([headers[':status'], headers['content-type']], [503, 'text/plain; charset=utf-8']);
    assert.equal(body, `orders did not answer: at east, 127.0.0.1:${port} refuses connections.\n`);
    const answer = await askHttp2(stage.client, grpcFields(), 'x');
    assert.deepEqual([answer.headers[':status'], answer.headers['grpc-status'], answer.body], [200, '14', '']);
    assert.equal(answer.headers['grpc-message'], body.trim());
    assert.equal(answer.headers['content-type'], 'application/grpc');
  });

  it('is told without a body to a HEAD request', async () => {
    await stage.open([await deadPort()]);
    const { headers, body } = await askHttp2(stage.client, { ':method': 'HEAD' });
    assert.deepEqual([headers[':status'], body], [503, '']);
  });

  it('is told when nothing offers the address at all', async () => {
    await stage.open([]);
    assert.equal((await askHttp2(stage.client)).body, 'orders did not answer: no server offers it now.\n');
  });

  it('by saying nothing is passed over after a time, or told: 504, and UNAVAILABLE for gRPC', async () => {
    const silent = await stage.serveTcp(() => {});
    const server = await stage.serve(says('second'));
    await stage.open([silent.port, server.port], { settingsWithinMs: 100 });
    assert.equal((await askHttp2(stage.client)).body, 'second');
    stage.way.ports.pop();
    const { headers, body } = await askHttp2(stage.client);
    assert.equal(headers[':status'], 504);
    assert.match(body, /does not answer in HTTP\/2 \(0\.1 s\)/);
    assert.equal((await askHttp2(stage.client, grpcFields(), 'x')).headers['grpc-status'], '14');
  });
});

describe('a server that goes away in order (GOAWAY)', () => {
  it('finishes what it has begun, and gets new requests on a new connection', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await stage.serve((stream, headers) => {
      if (headers[':path'] === '/held') held = stream;
      else says('new')(stream, headers);
    });
    await stage.open([server.port]);
    const answer = askHttp2(stage.client, { ':path': '/held' });
    await until('the server to see it', () => held);
    server.sessions[0]!.close();
    await until('a new connection', async () => {
      assert.equal((await askHttp2(stage.client)).body, 'new');
      return server.sessions.length === 2;
    });
    says('old')(held!, {});
    assert.equal((await answer).body, 'old');
  });

  it('gets what it did not look at again, whatever it is, on a new connection', async () => {
    const server = await stage.serve(says('again'));
    let connections = 0;
    const front = await stage.serveTcp((socket) => {
      if (++connections > 1) return socket.pipe(dial(server.port)).pipe(socket);
      // The first connection is shut with a last stream number below that of the request.
      const end = new RawEnd(socket, PREFACE_BYTES);
      end.send(frame(Frame.settings, 0, 0));
      socket.on('data', () => {
        if (end.frames.some(({ type }) => type === Frame.headers))
          socket.write(frame(Frame.goaway, 0, 0, Buffer.concat([uint32(0), uint32(NGHTTP2_NO_ERROR)])));
      });
      return undefined;
    });
    await stage.open([front.port]);
    const { body, code } = await askHttp2(stage.client, { ':method': 'POST' }, 'x');
    assert.deepEqual([body, code], ['again', NGHTTP2_NO_ERROR]);
  });
});
