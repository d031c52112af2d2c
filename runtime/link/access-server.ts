import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../log.ts';
import { MAX_MESSAGE_BYTES } from './frames.ts';

export const SUBPROTOCOL = 'caravan.1';
export const LINK_PATH = '/link';
/** Connections that wait to be taken in at most; further ones are refused by the system. */
const BACKLOG = 200;

export interface AccessServerOptions {
  /** Default: every address of this machine. */
  host?: string | undefined;
  /** 0 lets the system choose. */
  port: number;
  /** PEM: what this site shows, and the authority that signed those who may link. */
  key: string;
  certificate: string;
  authority: string;
  /** Whether the holder of a certificate that the authority signed is (still) let in. */
  admits: (serial: string, siteId: string) => boolean;
  link: (ws: WebSocket, socket: Duplex, siteId: string) => void;
  /** Any other HTTP request: a claim. */
  request: (request: IncomingMessage, response: ServerResponse) => void;
  log: Log;
}

/** Where links and claims come in: one HTTPS port for both. */
export class AccessServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with the system's error where the port cannot be had. */
  static listen(options: AccessServerOptions): Promise<AccessServer> {
    const { key, certificate, authority, log } = options;
    const server = createServer({
      key,
      cert: certificate,
      ca: authority,
      minVersion: 'TLSv1.3',
      // A newcomer that claims has no certificate yet; a link without one is refused below.
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
    });
    server.maxRequestsPerSocket = 100;
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    server.on('request', options.request);
    server.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
      const siteId = admitted(socket, options);
      if (request.url !== LINK_PATH || siteId === undefined) {
        log.warn('refused a link: its certificate was not issued here, or was revoked', { from: socket.remoteAddress });
        return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
      socket.setNoDelay(true);
      return sockets.handleUpgrade(request, socket, head, (ws) => options.link(ws, socket, siteId));
    });
    server.on('tlsClientError', (error) => log.debug('a connection ended before it was a link', { error: error.message }));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: options.port, host: options.host, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve(new AccessServer(server));
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes nothing more in. Links that are up stay; their owner closes them. */
  close(): Promise<void> {
    this.#server.closeIdleConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      // Sockets that became links are not the server's any more; half-done claims are not waited for.
      this.#server.closeAllConnections();
    });
  }
}

/** The site id of the certificate shown, where it lets its holder in. */
function admitted(socket: TLSSocket, options: AccessServerOptions): string | undefined {
  if (!socket.authorized) return undefined;
  const { subject, serialNumber } = socket.getPeerCertificate();
  const siteId = String(subject.CN);
  return options.admits(serialNumber, siteId) ? siteId : undefined;
}
