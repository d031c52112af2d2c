import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { UdpPeer } from '../../support/udp.ts';
import { until } from '../../support/until.ts';
import type { Door, Protocol } from './protocol.ts';

/** RFC 768 and RFC 791: 65,535 bytes, less the headers of IPv4 and UDP. */
const LARGEST_DATAGRAM = 65_507;
/** Who uses datagrams asks again. Milliseconds. */
const ASK_AGAIN_MS = 500;
/** Within this the system says that nobody listens on a port of this machine. Milliseconds. */
const SHUT_WITHIN_MS = 1000;

const noConnection = 'datagrams have no connection';

export const udp: Protocol = {
  name: 'udp',
  type: 'udp',
  omits: {
    'server speaks first': `${noConnection}: a server knows its client by the first one`,
    'client ends first': `${noConnection} that could end`,
    'server ends first': `${noConnection} that could end`,
    reset: `${noConnection} that could be reset`,
    'slow reader': 'what a reader does not take is dropped, by its own system; nothing is kept for it',
    'reasons of failure': 'nothing tells a client of datagrams that nobody took them',
    'listener removed': `${noConnection} that could go on after its listener`,
  },
  largestPayload: LARGEST_DATAGRAM,
  // A server that is silent is one all the same: nothing hangs.
  badTargets: ['refused', 'unreachable'],
  startEcho: async () => {
    const peer = await UdpPeer.start((datagram) => datagram);
    return {
      port: peer.port,
      stop: () => peer.stop(),
      get exchanges() {
        return peer.received.length;
      },
    };
  },
  ask: (door, payload) =>
    withSocket(async (socket) => {
      let answer: Buffer | undefined;
      socket.on('message', (datagram) => (answer = datagram));
      let nextAt = 0;
      return until('an answer', () => {
        if (performance.now() < nextAt || answer) return answer;
        nextAt = performance.now() + ASK_AGAIN_MS;
        socket.send(payload, door.port, '127.0.0.1');
        return undefined;
      });
    }),
  isShut: ({ port }: Door) =>
    withSocket(async (socket) => {
      socket.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const refused = new Promise<boolean>((resolve) => {
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
        socket.on('message', () => resolve(false));
        setTimeout(resolve, SHUT_WITHIN_MS, false).unref();
      });
      socket.send('is anybody there?');
      return refused;
    }),
};

/** Ports of earlier sockets. A flow is known by its client's port: one that the system gives out again would go on with that flow. */
const used = new Set<number>();

async function withSocket<T>(use: (socket: Socket) => Promise<T>): Promise<T> {
  const sockets: Socket[] = [];
  try {
    for (;;) {
      const socket = createSocket('udp4');
      sockets.push(socket);
      socket.on('error', () => {});
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const { port } = socket.address();
      if (used.has(port)) continue;
      used.add(port);
      return await use(socket);
    }
  } finally {
    for (const socket of sockets) socket.close();
  }
}
