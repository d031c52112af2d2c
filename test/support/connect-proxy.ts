import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestCertificate } from './certificates.ts';
import { LoopbackServer } from './loopback-server.ts';

export interface ConnectProxyOptions {
  /** As in a URL: `user:password`. */
  userinfo?: string;
  /** Answers with this instead of connecting. */
  status?: number;
  /** It speaks TLS. */
  own?: TestCertificate;
}

/** An HTTP proxy of the test on loopback. Whatever host it is asked for, it connects to that port of loopback. */
export class ConnectProxy extends LoopbackServer {
  /** What it was asked for: `west.example:8443`. */
  readonly targets: string[] = [];

  static async start({ userinfo, status, own }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const server = own ? createHttpsServer({ key: own.key, cert: own.certificate }) : createHttpServer();
    const proxy = new ConnectProxy(server);
    const wanted = userinfo === undefined ? undefined : `Basic ${Buffer.from(userinfo).toString('base64')}`;
    server.on('connect', ({ url, headers }: IncomingMessage, client: Duplex, head: Buffer) => {
      proxy.targets.push(url!);
      client.on('error', () => {});
      const refused = headers['proxy-authorization'] === wanted ? status : 407;
      if (refused !== undefined) return client.end(`HTTP/1.1 ${refused} No\r\nContent-Length: 0\r\n\r\n`);
      const onward = proxy.keep(connect({ host: '127.0.0.1', port: Number(url!.split(':').at(-1)), allowHalfOpen: true }));
      onward.once('connect', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        onward.pipe(client).pipe(onward);
      });
      return onward.on('error', () => client.destroy());
    });
    return proxy.listen();
  }
}
