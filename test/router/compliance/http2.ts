import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { dialHttp2, H2Server, responseOf } from '../../../runtime/protocols/http2/ends.testkit.ts';
import type { Streams } from './protocol.ts';
import { read, streamProtocol } from './stream-protocol.ts';
import { refusesConnections } from './tcp.ts';

const MIB = 1024 * 1024;
const { NGHTTP2_CANCEL } = constants;

const streams: Streams = {
  start: (serve) =>
    H2Server.start((stream) => {
      stream.respond({ ':status': 200 });
      serve({ input: stream, output: stream, reset: () => stream.close(NGHTTP2_CANCEL) });
    }),
  open: async ({ port }) => {
    const session = dialHttp2(port);
    const stream: ClientHttp2Stream = session.request({ ':method': 'POST' }, { endStream: false });
    const close = (): void => session.close();
    try {
      const headers = await responseOf(stream);
      if (!headers) await once(session, 'connect');
      const status = Number(headers?.[':status']);
      if (status !== 200) throw new Error(`${status} ${(await read(stream)).toString()}`);
      return { input: stream, output: stream, reset: () => stream.close(NGHTTP2_CANCEL), close };
    } catch (error) {
      session.destroy();
      throw error;
    }
  },
};

/** An exchange is a stream of HTTP/2, on a connection of its own. */
export const http2 = streamProtocol({
  name: 'http2',
  type: 'http2',
  omits: {},
  streams,
  isShut: refusesConnections,
  learns: {
    refused: /^Error: 503 .* refuses connections/,
    unreachable: /^Error: 503 .* cannot be reached/,
    hanging: /^Error: 504 /,
  },
  bytesInFlight: 4 * MIB,
});
