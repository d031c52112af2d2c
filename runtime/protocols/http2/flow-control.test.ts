import assert from 'node:assert/strict';
import { type ClientHttp2Stream, type ServerHttp2Stream, constants } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { askHttp2, responseOf, says } from './ends.testkit.ts';
import { Stage } from './stage.testkit.ts';

const { NGHTTP2_CANCEL } = constants;
const MIB = 1024 * 1024;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

describe('flow control', () => {
  /** Sends for as long as it is taken, and counts what was. */
  function pour(stream: ClientHttp2Stream | ServerHttp2Stream): () => number {
    let bytes = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      if (stream.destroyed) return;
      bytes += chunk.length;
      stream.write(chunk, more);
    };
    more();
    return () => bytes;
  }

  /** Resolves to the number once it has stopped growing. */
  async function stalled(count: () => number): Promise<number> {
    let last = -1;
    let still = 0;
    return until('the sender to stall', () => {
      const now = count();
      still = now === last ? still + 1 : 0;
      last = now;
      return still > 10 && now;
    });
  }

  it('stops a client whose server does not read, and no other request', async () => {
    let stuck: ServerHttp2Stream | undefined;
    const server = await stage.serve((stream, headers) => {
      if (headers[':path'] === '/stuck') stuck = stream;
      else says('fine')(stream, headers);
    });
    await stage.open([server.port]);
    const stream = stage.client.request({ ':path': '/stuck', ':method': 'POST' });
    stream.on('error', () => {});
    const sent = await stalled(pour(stream));
    assert.ok(sent < 2 * MIB, `${sent} bytes were taken though nobody reads`);
    assert.equal((await askHttp2(stage.client)).body, 'fine');
    assert.equal((await askHttp2(stage.anotherClient())).body, 'fine');
    stuck!.close(NGHTTP2_CANCEL);
  });

  it('stops a server whose client does not read, and no other request', async () => {
    let sent = (): number => 0;
    const server = await stage.serve((stream, headers) => {
      if (headers[':path'] !== '/stuck') return says('fine')(stream, headers);
      stream.respond({ ':status': 200 });
      sent = pour(stream);
    });
    await stage.open([server.port]);
    const stream = stage.client.request({ ':path': '/stuck' });
    await responseOf(stream);
    const bytes = await stalled(() => sent());
    assert.ok(bytes < 2 * MIB, `${bytes} bytes were taken though nobody reads`);
    assert.equal((await askHttp2(stage.client)).body, 'fine');
    assert.equal((await askHttp2(stage.anotherClient())).body, 'fine');
    stream.close(NGHTTP2_CANCEL);
  });
});
