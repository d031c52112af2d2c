import { type AddressInfo, createServer, type Socket } from 'node:net';
import { StreamError } from '../../link/reason.ts';
import type { OpenListener, Way } from '../listener.ts';
import { abort, splice } from '../splice.ts';

/** A socket that listens for TCP clients: each gets a stream of its own. */
export const openTcpListener: OpenListener = (host, port, way) => {
  // A client waits, unread, until there is a server for it.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    void serve(client, way);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, close: () => void server.close() });
    });
  });
};

async function serve(client: Socket, way: Way): Promise<void> {
  way.count(client);
  try {
    const stream = await way.connect();
    if (client.destroyed) abort(stream, new Error('the client has gone'));
    else splice(client, stream);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    way.log.warn(`a client of ${way.address} was refused: ${error.message}`);
    client.resetAndDestroy();
  }
}
