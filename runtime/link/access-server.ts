import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../log.ts';
import { BACKLOG, HTTP_LIMITS, MAX_CONNECTIONS } from './access-limits.ts';
import { MAX_MESSAGE_BYTES } from './frames.ts';
import { isForTunnel, takeTunnel } from './take-tunnel.ts';
import { MessageSocket } from './websocket/message-socket.ts';
import { answerUpgrade, refuseUpgrade } from './websocket/upgrade.ts';

export const SUBPROTOCOL = 'caravan.1';
export const LINK_PATH = '/link';
/** For TLS. Milliseconds. */
const HANDSHAKE_WITHIN_MS = 10_000;

/** What Node says of a certificate whose time it is not. */
const WRONG_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** What this site shows. PEM. */
export interface ShownCertificate {
  key: string;
  certificate: string;
}

/** Whose certificate was shown, one that the authority signed and that has not ended: not yet whether it lets its holder in. */
export interface Holder {
  serial: string;
  siteId: string;
}

export interface AccessServerOptions extends ShownCertificate {
  /** Default: every address of this machine. */
  host?: string | undefined;
  /** 0 lets the system choose. */
  port: number;
  /** PEM: who signed the certificates of those who may link. */
  authority: string;
  /** Whether the holder of a certificate is (still) let in. */
  admits: (holder: Holder) => boolean;
  link: (socket: MessageSocket, holder: Holder) => void;
  /** Any other HTTP request: a claim, which comes from nobody yet, or a renewal. */
  request: (request: IncomingMessage, response: ServerResponse, from: Holder | undefined) => Promise<void>;
  log: Log;
}

/** Where links and claims come in: one HTTPS port for both, and for tunnels that carry either. */
export class AccessServer {
  readonly #server: Server;
  readonly #authority: string;
  /** Connections that are no link and no tunnel: waiting to be, or claiming. By their far end. */
  readonly #waiting: Map<string, Socket>;
  readonly port: number;

  private constructor(server: Server, waiting: Map<string, Socket>, authority: string) {
    this.#server = server;
    this.#authority = authority;
    this.#waiting = waiting;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Rejects with the system's error where the port cannot be had. */
  static listen(options: AccessServerOptions): Promise<AccessServer> {
    const { authority, log } = options;
    const server = createServer({
      ...secureContext(options, authority),
      // A newcomer that claims has no certificate yet; a link without one is refused below.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_WITHIN_MS,
      ...HTTP_LIMITS,
    });
    server.maxRequestsPerSocket = 100;
    server.maxConnections = MAX_CONNECTIONS;
    const waiting = new Map<string, Socket>();
    server.on('connection', (socket: Duplex) => {
      if (!(socket instanceof Socket)) return;
      const end = farEnd(socket);
      waiting.set(end, socket);
      socket.once('close', () => waiting.get(end) === socket && waiting.delete(end));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void options.request(request, response, holderOf(request.socket as TLSSocket));
    });
    server.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
      // One within another would cost more than the connection that is counted.
      if (isForTunnel(request) && !isInTunnel(socket)) {
        waiting.delete(farEnd(socket));
        socket.setNoDelay(true);
        const connection = takeTunnel(request, socket, head);
        return connection && server.emit('connection', connection);
      }
      const holder = holderOf(socket);
      if (request.url !== LINK_PATH || !holder || !options.admits(holder)) {
        const isOutOfTime = WRONG_TIME.has(String(socket.authorizationError));
        const why = isOutOfTime ? 'has ended, or is not good yet' : 'was not issued here, or was revoked';
        log.warn(`refused a link: its certificate ${why}`, { from: socket.remoteAddress ?? 'a tunnel' });
        return refuseUpgrade(socket, isOutOfTime ? '401 Unauthorized' : '403 Forbidden');
      }
      if (!answerUpgrade(request, socket, SUBPROTOCOL)) return undefined;
      socket.setNoDelay(true);
      waiting.delete(farEnd(socket));
      return options.link(new MessageSocket(socket, { dialled: false, head, maxMessageBytes: MAX_MESSAGE_BYTES }), holder);
    });
    server.on('tlsClientError', (error) => log.debug('a connection ended before it was a link', { error: error.message }));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: options.port, host: options.host, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve(new AccessServer(server, waiting, authority));
      });
    });
  }

  /** A connection that came in another way. */
  take(connection: Duplex): void {
    this.#server.emit('connection', connection);
  }

  /** From now on this is shown to who comes; connections that are up stay as they are. */
  show(shown: ShownCertificate): void {
    this.#server.setSecureContext(secureContext(shown, this.#authority));
  }

  /** Takes nothing more in, and cuts what is no link yet. Links that are up stay; their owner closes them. */
  close(): void {
    // Not waited for: it would last as long as the last link.
    this.#server.close();
    for (const socket of this.#waiting.values()) socket.destroy();
    // What came through tunnels.
    this.#server.closeAllConnections();
  }
}

/** What a tunnel carries has no address: the proxy's says nothing, and what the proxy says may be anybody's word. */
function isInTunnel({ remoteAddress }: TLSSocket): boolean {
  return remoteAddress === undefined;
}

function farEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function secureContext({ key, certificate }: ShownCertificate, authority: string) {
  return { key, cert: certificate, ca: authority, minVersion: 'TLSv1.3' as const };
}

function holderOf(socket: TLSSocket): Holder | undefined {
  if (!socket.authorized) return undefined;
  const { subject, serialNumber } = socket.getPeerCertificate();
  return { serial: serialNumber, siteId: String(subject.CN) };
}
