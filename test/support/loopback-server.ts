import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';

/** A server of a test on loopback. Its connections, and those that it opens for them, end with it. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.keep(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  protected keep<S extends Duplex>(socket: S): S {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
