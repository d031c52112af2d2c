import { connect } from 'node:net';
import { createServer } from 'node:tls';
import type { TestCertificate } from './certificates.ts';
import { LoopbackServer } from './loopback-server.ts';

/** A proxy of the test on loopback that ends TLS, and passes what is in it to a port of loopback as it is. */
export class TlsEndingProxy extends LoopbackServer {
  /** What it has seen of what clients send. */
  seen = Buffer.alloc(0);

  static async start(own: TestCertificate, to: number): Promise<TlsEndingProxy> {
    const server = createServer({ key: own.key, cert: own.certificate, allowHalfOpen: true });
    const proxy = new TlsEndingProxy(server);
    server.on('secureConnection', (client) => {
      const onward = proxy.keep(connect({ host: '127.0.0.1', port: to, allowHalfOpen: true }));
      client.on('data', (chunk: Buffer) => {
        if (proxy.seen.length < 4096) proxy.seen = Buffer.concat([proxy.seen, chunk]);
      });
      client.pipe(onward).pipe(client);
      client.on('error', () => onward.destroy());
      client.on('close', () => onward.destroy());
      onward.on('error', () => client.destroy());
    });
    server.on('tlsClientError', () => {});
    return proxy.listen();
  }
}
