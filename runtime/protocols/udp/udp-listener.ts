import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Flow, OpenListener, Way } from '../listener.ts';
import { SOCKET_BUFFER_BYTES, trySize } from './udp-target.ts';

/** A flow in which nothing came or went for this long is over. As RFC 4787, section 4.3 asks of what keeps state of UDP: two minutes. */
export const FLOW_IDLE_MS = 120_000;
/** How often idle flows are looked for. Milliseconds. */
export const SWEEP_EVERY_MS = 5000;
/** Clients of one listener at a time; the datagrams of further ones are dropped. */
export const MAX_FLOWS = 10_000;

interface ClientFlow {
  flow: Flow;
  usedAt: number;
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
  /** By the client's address and port. */
  readonly #flows = new Map<string, ClientFlow>();
  readonly #sweeper: NodeJS.Timeout;
  #toldFull = false;

  constructor(socket: Socket, way: Way) {
    this.#socket = socket;
    this.#way = way;
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => this.#received(datagram, from));
    // An answer that a client does not take any more.
    socket.on('error', (error) => way.log.debug(`a datagram was not delivered: ${error.message}`));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const { flow } of this.#flows.values()) flow.close();
    this.#flows.clear();
    this.#socket.close();
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const client = `${from.address} ${from.port}`;
    const known = this.#flows.get(client) ?? this.#begin(client, from);
    if (!known) return;
    known.usedAt = performance.now();
    known.flow.send(datagram);
  }

  #begin(client: string, { address, port }: RemoteInfo): ClientFlow | undefined {
    if (this.#flows.size >= MAX_FLOWS) {
      if (!this.#toldFull) this.#way.log.warn(`${this.#way.address} has ${MAX_FLOWS} clients: datagrams of others are dropped`);
      this.#toldFull = true;
      return undefined;
    }
    const begun: ClientFlow = {
      usedAt: 0,
      flow: this.#way.flow((answer) => {
        begun.usedAt = performance.now();
        if (this.#flows.get(client) === begun) this.#socket.send(answer, port, address);
      }),
    };
    this.#flows.set(client, begun);
    return begun;
  }

  #sweep(): void {
    this.#toldFull = false;
    const idleSince = performance.now() - FLOW_IDLE_MS;
    for (const [client, { flow, usedAt }] of this.#flows) {
      if (usedAt > idleSince) continue;
      this.#flows.delete(client);
      flow.close();
    }
  }
}
