import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { CaravanError } from '../../errors.ts';

/** One part of the sample application: a server on this computer's loopback. */
export interface Part {
  port: number;
  close(): void;
}

/** A part that answers HTTP. */
export async function startHttpPart(
  wantedPort: number,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
): Promise<Part> {
  const server = createServer((request, response) => void answer(request, response));
  const port = await listenNear(server, wantedPort);
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Listens at the wanted port, or at one that the system chooses where that is taken: a demo never fails for a port. */
export async function listenNear(server: Server, wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const error = await tryListen(server, port);
    if (!error) return (server.address() as AddressInfo).port;
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
  }
  throw new CaravanError('conflict', 'No port of 127.0.0.1 can be had: end some programs.');
}

function tryListen(server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error);
    server.once('error', failed).listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      resolve(undefined);
    });
  });
}
