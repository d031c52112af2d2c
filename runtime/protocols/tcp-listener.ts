import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A socket that listens for TCP clients. Clients wait, unread, until the handler takes them. */
export class TcpListener {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Rejects with the system's error where the port cannot be had. */
  static open(host: string, port: number, client: (socket: Socket) => void): Promise<TcpListener> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      socket.on('error', () => {});
      client(socket);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve(new TcpListener(server));
      });
    });
  }

  /** Further clients are refused; those connected stay. */
  close(): void {
    this.#server.close();
  }
}
