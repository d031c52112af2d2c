import { once } from 'node:events';
import type { Socket } from 'node:net';
import { dial, TestServer } from '../../support/tcp.ts';
import type { Door, Side, Streams } from './protocol.ts';
import { streamProtocol } from './stream-protocol.ts';

const MIB = 1024 * 1024;

const streams: Streams = {
  start: (serve) => TestServer.start((socket) => serve(sideOf(socket))),
  open: async ({ port }) => {
    const socket = dial(port);
    await once(socket, 'connect');
    return sideOf(socket);
  },
};

export const tcp = streamProtocol({
  name: 'tcp',
  type: 'tcp',
  omits: {},
  streams,
  isShut: refusesConnections,
  // A connection says no more than that it is over.
  learns: { refused: /ECONNRESET/, unreachable: /ECONNRESET/, hanging: /ECONNRESET/ },
  bytesInFlight: 32 * MIB,
});

/** Whether the system says that nobody listens there. */
export async function refusesConnections({ port }: Door): Promise<boolean> {
  const socket = dial(port);
  const error = await Promise.race([
    once(socket, 'connect').then(() => undefined),
    new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve)),
  ]).catch((reason: NodeJS.ErrnoException) => reason);
  socket.destroy();
  return error?.code === 'ECONNREFUSED';
}

function sideOf(socket: Socket): Side {
  return { input: socket, output: socket, reset: () => void socket.resetAndDestroy() };
}
