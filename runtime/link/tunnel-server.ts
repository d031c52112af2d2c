import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BACKLOG, HTTP_LIMITS, MAX_CONNECTIONS } from './access-limits.ts';
import { isForTunnel, takeTunnel } from './take-tunnel.ts';
import { refuseUpgrade } from './websocket/upgrade.ts';

export interface TunnelServerOptions {
  /** Default: every address of this machine. */
  host?: string | undefined;
  /** 0 lets the system choose. */
  port: number;
  /** A connection for the port for links: nobody has said yet who is at its end. */
  take: (connection: Duplex) => void;
}

/** A port that speaks plain HTTP to a proxy which ends TLS before it, and takes nothing but tunnels. */
export class TunnelServer {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Rejects with the system's error where the port cannot be had. */
  static listen({ host, port, take }: TunnelServerOptions): Promise<TunnelServer> {
    const server = createServer(HTTP_LIMITS);
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', ({ url, method }: IncomingMessage, response: ServerResponse) => {
      // Load balancers ask for this to know whether the port lives.
      const isHealthCheck = url === '/' && (method === 'GET' || method === 'HEAD');
      response.writeHead(isHealthCheck ? 200 : 404, { 'content-length': 0 }).end();
    });
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (!isForTunnel(request)) return refuseUpgrade(socket, '404 Not Found');
      socket.setNoDelay(true);
      const connection = takeTunnel(request, socket, head);
      return connection && take(connection);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve(new TunnelServer(server));
      });
    });
  }

  /** Takes nothing more in. Tunnels that are up stay. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
