import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Door, Streams } from './protocol.ts';
import { read, streamProtocol } from './stream-protocol.ts';
import { refusesConnections } from './tcp.ts';

const MIB = 1024 * 1024;

const streams: Streams = {
  start: async (serve) => {
    const server = createServer((asked, answer) => {
      answer.on('error', () => {});
      // Who speaks first within the exchange is for the two sides to say.
      answer.flushHeaders();
      serve({ input: asked, output: answer, reset: () => void asked.socket.resetAndDestroy() });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      stop: async () => {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      },
    };
  },
  open: async ({ port }) => {
    const asked = request({ port, host: '127.0.0.1', method: 'POST', path: '/', agent: false });
    asked.on('error', () => {});
    asked.flushHeaders();
    const answer = await answerTo(asked);
    return { input: answer, output: asked, reset: () => void asked.socket?.resetAndDestroy() };
  },
};

/** HTTP/1.1: an exchange is a request, on a connection of its own. */
export const http = {
  ...streamProtocol({
    name: 'http',
    type: 'http',
    omits: { 'server ends first': 'clients send no more of a request once its answer is whole' },
    streams,
    isShut: refusesConnections,
    learns: {
      refused: /^Error: 503 .* refuses connections/,
      unreachable: /^Error: 503 .* cannot be reached/,
      hanging: /^Error: 504 /,
    },
    bytesInFlight: 32 * MIB,
  }),
  /** With Content-Length; `streams.open` has chunks. */
  ask: async ({ port }: Door, payload: Buffer): Promise<Buffer> => {
    const headers = { 'Content-Length': payload.length };
    const asked = request({ port, host: '127.0.0.1', method: 'POST', path: '/', agent: false, headers });
    const answer = answerTo(asked);
    asked.end(payload);
    return read(await answer);
  },
};

async function answerTo(asked: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => {});
  if (answer.statusCode === 200) return answer;
  throw new Error(`${answer.statusCode} ${(await read(answer)).toString()}`);
}
