import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIPv6 } from 'node:net';
import type { Target } from '../../site/resources.ts';

/** Datagrams that wait while a server's name is looked up; further ones are dropped. */
const MAX_WAITING = 64;
/** Asked of the system for what comes and goes; it may give less. Bytes. */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** A server that takes datagrams, from a port of ours that it answers to. */
export interface UdpTarget {
  send(datagram: Buffer): void;
  close(): void;
}

/** `answer` gets what the server sends back; `failed` is called once where it cannot be reached. Errors after that are nobody's. */
export function openUdpTarget(
  { host, port }: Target,
  { answer, failed }: { answer: (datagram: Buffer) => void; failed: (error: NodeJS.ErrnoException) => void },
): UdpTarget {
  let waiting: Buffer[] | undefined = [];
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    waiting = undefined;
    socket.close();
  };
  const fail = (error: NodeJS.ErrnoException) => {
    if (isClosed) return;
    close();
    failed(error);
  };
  // The host is an address in clusters; a name is looked up once, when the flow begins.
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', lookup });
  // A connected socket hears that nobody listens there (ICMP), and takes answers from that server alone.
  socket.on('error', fail);
  socket.on('message', answer);
  socket.connect(port, host, (error?: NodeJS.ErrnoException) => {
    if (isClosed) return;
    if (error) return fail(error);
    trySize(() => socket.setRecvBufferSize(SOCKET_BUFFER_BYTES));
    for (const datagram of waiting ?? []) socket.send(datagram);
    waiting = undefined;
  });
  return {
    send(datagram) {
      if (isClosed) return;
      if (!waiting) socket.send(datagram);
      else if (waiting.length < MAX_WAITING) waiting.push(datagram);
    },
    close,
  };
}

/** A system that refuses a larger buffer has its reasons; datagrams may be lost then, as they may be anyway. */
export function trySize(set: () => void): void {
  try {
    set();
  } catch {
    // Said above.
  }
}
