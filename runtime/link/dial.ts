import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type PeerCertificate } from 'node:tls';
import { WebSocket } from 'ws';
import { LINK_PATH, SUBPROTOCOL } from './access-server.ts';
import { MAX_MESSAGE_BYTES } from './frames.ts';

/** What a site needs to link to another. PEM. */
export interface LinkCredentials {
  authority: string;
  certificate: string;
  key: string;
}

export interface DialOptions {
  /** Named in the HTTP request and in errors; the way there is the transport's. */
  host: string;
  port: number;
  credentials: LinkCredentials;
  /** The id of the site that must be at the other end. */
  siteId: string;
  signal: AbortSignal;
  /** A connection that carries bytes to the other end: TCP where it is not given, or a port-forward. */
  transport?: Duplex;
}

const OTHER_SITE = 'another site answers there';
/** What OpenSSL says of a certificate that another authority signed. */
const NOT_SIGNED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

/** A connection to the other site in TLS 1.3, where that site has shown that it is the one meant. */
export function dialTls({
  host,
  port,
  credentials,
  siteId,
  signal,
  transport,
}: Omit<DialOptions, 'credentials'> & {
  /** Without a certificate for who only claims. */
  credentials: Pick<LinkCredentials, 'authority'> & Partial<LinkCredentials>;
}): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      ...(transport ? { socket: transport } : { host, port }),
      ca: credentials.authority,
      cert: credentials.certificate,
      key: credentials.key,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      // The authority signs for one site only, and the certificate names it: that says more than a host name, which may change.
      checkServerIdentity: (_host, { subject }: PeerCertificate) => (subject.CN === siteId ? undefined : new Error(OTHER_SITE)),
    });
    const abort = () => socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    const failed = (error: NodeJS.ErrnoException) =>
      reject(NOT_SIGNED.has(error.code ?? '') ? new Error(OTHER_SITE, { cause: error }) : error);
    socket.once('error', failed);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', failed);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** A WebSocket to the other site's router, open, and what it writes to. */
export async function dialLink(options: DialOptions): Promise<{ ws: WebSocket; socket: Duplex }> {
  options.signal.throwIfAborted();
  const socket = await dialTls(options);
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://${hostInUrl(options.host)}:${options.port}${LINK_PATH}`, SUBPROTOCOL, {
      createConnection: () => socket,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: 10_000,
      // TLS carries this WebSocket, so no proxy can be fooled by what it looks like (RFC 6455, section 10.3): a mask of zeros is as good,
      // and costs nothing.
      generateMask: (mask) => mask.fill(0),
    });
    const abort = () => ws.terminate();
    options.signal.addEventListener('abort', abort, { once: true });
    ws.once('unexpected-response', (_request, response) => {
      reject(
        new Error(
          response.statusCode === 403
            ? 'the site refuses this link: it was revoked there'
            : `the other end answers ${response.statusCode}`,
        ),
      );
      ws.terminate();
    });
    ws.once('error', reject);
    ws.once('open', () => {
      options.signal.removeEventListener('abort', abort);
      ws.off('error', reject);
      // Nothing may arrive before the link listens; it resumes.
      ws.pause();
      resolve({ ws, socket });
    });
  });
}

export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
