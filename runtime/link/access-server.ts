import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../log.ts';
import { MAX_MESSAGE_BYTES } from './frames.ts';
import { MessageSocket } from './websocket/message-socket.ts';
import { answerUpgrade, refuseUpgrade } from './websocket/upgrade.ts';

export const SUBPROTOCOL = 'caravan.1';
export const LINK_PATH = '/link';
/** Connections that wait to be taken in at most; further ones are refused by the system. */
const BACKLOG = 200;

/** Of all incoming connections together, links among them. */
const MAX_CONNECTIONS = 20_000;
/** For TLS. Milliseconds. */
const HANDSHAKE_WITHIN_MS = 10_000;

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
  link: (socket: MessageSocket, siteId: string) => void;
  /** Any other HTTP request: a claim. */
  request: (request: IncomingMessage, response: ServerResponse) => void;
  log: Log;
}

/** Where links and claims come in: one HTTPS port for both. */
export class AccessServer {
  readonly #server: Server;
  /** Connections that are no link: waiting to be, or claiming. By their far end. */
  readonly #waiting: Map<string, Socket>;
  readonly port: number;

  private constructor(server: Server, waiting: Map<string, Socket>) {
    this.#server = server;
    this.#waiting = waiting;
    this.port = (server.address() as AddressInfo).port;
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
      handshakeTimeout: HANDSHAKE_WITHIN_MS,
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
    });
    server.maxRequestsPerSocket = 100;
    server.maxConnections = MAX_CONNECTIONS;
    const waiting = new Map<string, Socket>();
    server.on('connection', (socket: Socket) => {
      const end = farEnd(socket);
      waiting.set(end, socket);
      socket.once('close', () => waiting.get(end) === socket && waiting.delete(end));
    });
    server.on('request', options.request);
    server.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
      const siteId = admitted(socket, options);
      if (request.url !== LINK_PATH || siteId === undefined) {
        log.warn('refused a link: its certificate was not issued here, or was revoked', { from: socket.remoteAddress });
        return refuseUpgrade(socket, '403 Forbidden');
      }
      if (!answerUpgrade(request, socket, SUBPROTOCOL)) return undefined;
      socket.setNoDelay(true);
      waiting.delete(farEnd(socket));
      return options.link(new MessageSocket(socket, { dialled: false, head, maxMessageBytes: MAX_MESSAGE_BYTES }), siteId);
    });
    server.on('tlsClientError', (error) => log.debug('a connection ended before it was a link', { error: error.message }));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: options.port, host: options.host, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve(new AccessServer(server, waiting));
      });
    });
  }

  /** Takes nothing more in, and cuts what is no link yet. Links that are up stay; their owner closes them. */
  close(): void {
    // Not waited for: it would last as long as the last link.
    this.#server.close();
    for (const socket of this.#waiting.values()) socket.destroy();
  }
}

function farEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The site id of the certificate shown, where it lets its holder in. */
function admitted(socket: TLSSocket, options: AccessServerOptions): string | undefined {
  if (!socket.authorized) return undefined;
  const { subject, serialNumber } = socket.getPeerCertificate();
  const siteId = String(subject.CN);
  return options.admits(serialNumber, siteId) ? siteId : undefined;
}
