import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP server of the test on loopback, with what it has seen. */
export class TestServer {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(serve: (socket: Socket) => void): Promise<TestServer> {
    const server = createServer({ allowHalfOpen: true });
    const test = new TestServer(server);
    server.on('connection', (socket) => {
      test.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => test.sockets.delete(socket));
      serve(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return test;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A client of the test: half-open, quiet about errors until they are asked for. */
export function dial(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}

/** All that a socket receives until its end. Rejects where it is reset instead. */
export function received(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the socket was closed before its end')));
  });
}

/** Sends one line and resolves to the answer; the connection is closed. */
export async function ask(port: number, question: string): Promise<string> {
  const socket = dial(port);
  socket.end(question);
  return (await received(socket)).toString();
}
