import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Log, sparing } from '../../log.ts';
import type { Flow, OpenListener, Way } from '../listener.ts';
import { FlowTable, type FlowUse, newUse } from './flow-table.ts';
import { SOCKET_BUFFER_BYTES, trySize } from './udp-target.ts';

/** Clients of one listener at a time. */
const MAX_FLOWS = 10_000;

interface ClientFlow extends FlowUse {
  flow: Flow;
}

/** A socket that takes datagrams: what comes from one address and port is one flow, and answers go back there. */
export const openUdpListener: OpenListener = async (host, port, way) => {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  trySize(() => socket.setRecvBufferSize(SOCKET_BUFFER_BYTES));
  return new UdpListener(socket, way);
};

class UdpListener {
  readonly port: number;
  readonly #socket: Socket;
  readonly #way: Way;
  readonly #log: Log;
  /** By the client's address and port. */
  readonly #flows: FlowTable<ClientFlow>;

  constructor(socket: Socket, way: Way) {
    this.#socket = socket;
    this.#way = way;
    this.#log = sparing(way.log);
    this.port = socket.address().port;
    this.#flows = new FlowTable<ClientFlow>(MAX_FLOWS, {
      end: ({ flow }) => flow.close(),
      full: () =>
        this.#log.warn('a listener has as many clients as it takes; the one that was silent longest is forgotten', {
          address: way.address,
          clients: MAX_FLOWS,
        }),
    });
    socket.on('message', (datagram, from) => this.#received(datagram, from));
    // An answer that a client does not take any more.
    socket.on('error', (error) => this.#log.debug('a datagram was not delivered', { address: way.address, error }));
  }

  close(): void {
    this.#flows.close();
    this.#socket.close();
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const client = `${from.address} ${from.port}`;
    const known = this.#flows.get(client) ?? this.#begin(client, from);
    this.#flows.asked(client, known);
    known.flow.send(datagram);
  }

  #begin(client: string, { address, port }: RemoteInfo): ClientFlow {
    const begun: ClientFlow = {
      ...newUse(this.#way.servicePort ?? this.port),
      flow: this.#way.flow((answer) => {
        this.#flows.answered(client, begun);
        if (this.#flows.get(client) === begun) this.#socket.send(answer, port, address);
      }),
    };
    this.#flows.add(client, begun);
    return begun;
  }
}
