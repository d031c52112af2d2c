import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type Server } from 'node:tls';
import type { TestCertificate } from './certificates.ts';

/** A proxy of the test on loopback that ends TLS, and passes what is in it to a port of loopback as it is. */
export class TlsEndingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  /** What it has seen of what clients send. */
  seen = Buffer.alloc(0);

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(own: TestCertificate, to: number): Promise<TlsEndingProxy> {
    const server = createServer({ key: own.key, cert: own.certificate, allowHalfOpen: true });
    const proxy = new TlsEndingProxy(server);
    server.on('connection', (socket) => proxy.#keep(socket));
    server.on('secureConnection', (client) => {
      const onward = proxy.#keep(connect({ host: '127.0.0.1', port: to, allowHalfOpen: true }));
      client.on('data', (chunk: Buffer) => {
        if (proxy.seen.length < 4096) proxy.seen = Buffer.concat([proxy.seen, chunk]);
      });
      client.pipe(onward).pipe(client);
      client.on('error', () => onward.destroy());
      client.on('close', () => onward.destroy());
      onward.on('error', () => client.destroy());
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep<S extends Duplex>(socket: S): S {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
