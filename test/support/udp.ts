import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { until } from './until.ts';

/** A socket of the test on loopback that keeps what it gets. */
export class UdpPeer {
  readonly socket: Socket;
  readonly received: { text: string; from: RemoteInfo }[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /** `answer`: what it sends back for each datagram. */
  static async start(answer?: (datagram: Buffer) => Buffer | string): Promise<UdpPeer> {
    const peer = new UdpPeer(createSocket('udp4'));
    peer.socket.on('message', (datagram, from) => {
      peer.received.push({ text: datagram.toString(), from });
      if (answer) peer.socket.send(answer(datagram), from.port, from.address);
    });
    peer.socket.bind(0, '127.0.0.1');
    await once(peer.socket, 'listening');
    return peer;
  }

  get port(): number {
    return this.socket.address().port;
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  send(datagram: Buffer | string, port: number): void {
    this.socket.send(datagram, port, '127.0.0.1');
  }

  /** Sends until an answer comes, as who uses datagrams does; resolves to it. */
  async ask(question: string, port: number): Promise<string> {
    const before = this.received.length;
    let nextAt = 0;
    await until(`an answer to ${question}`, () => {
      if (this.received.length === before && performance.now() >= nextAt) {
        this.send(question, port);
        nextAt = performance.now() + 500;
      }
      return this.received.length > before;
    });
    return this.received[before]!.text;
  }

  async stop(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}
