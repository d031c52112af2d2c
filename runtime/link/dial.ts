import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type PeerCertificate } from 'node:tls';
import { hostInUrl } from '../words.ts';
import { LINK_PATH, SUBPROTOCOL } from './access-server.ts';
import { dialTunnel } from './dial-tunnel.ts';
import type { Endpoint } from './endpoint.ts';
import { MAX_MESSAGE_BYTES } from './frames.ts';
import { connectThrough, type HttpProxy, proxyFor } from './http-proxy.ts';
import { MessageSocket } from './websocket/message-socket.ts';
import { requestUpgrade, UpgradeRefused } from './websocket/upgrade.ts';

/** What a site needs to link to another. PEM. */
export interface LinkCredentials {
  authority: string;
  certificate: string;
  key: string;
}

/** Host and port are named in the HTTP request and in errors; the way there is the transport's. */
export interface DialOptions extends Endpoint {
  credentials: LinkCredentials;
  /** The id of the site that must be at the other end. */
  siteId: string;
  signal: AbortSignal;
  /** A connection that carries bytes to the other end, such as a port-forward: where it is not given what the endpoint and the environment say. */
  transport?: Duplex;
  /** Called with the HTTP proxy that it goes through, before that is asked; with nothing where it goes there itself. */
  through?: (proxy: HttpProxy | undefined) => void;
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

/** What OpenSSL says of a certificate whose time it is not. */
const WRONG_TIME: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has ended: restart its router, which signs a new one, or set the clock here',
  CERT_NOT_YET_VALID: 'its certificate is not good yet: one of the two clocks is wrong',
};

/** A connection to the other site in TLS 1.3, where that site has shown that it is the one meant. */
export async function dialTls({
  host,
  port,
  tunnel,
  credentials,
  siteId,
  signal,
  transport,
  through,
}: Omit<DialOptions, 'credentials'> & {
  /** Without a certificate for who only claims. */
  credentials: Pick<LinkCredentials, 'authority'> & Partial<LinkCredentials>;
}): Promise<Duplex> {
  const way = transport ?? (await transportTo({ host, port, ...(tunnel && { tunnel }) }, signal, through));
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      ...(way ? { socket: way } : { host, port }),
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
    const failed = (error: NodeJS.ErrnoException) => {
      const { code = '' } = error;
      const why = NOT_SIGNED.has(code) ? OTHER_SITE : WRONG_TIME[code];
      reject(why === undefined ? error : new Error(why, { cause: error }));
    };
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

/** What leads there where TCP alone does not. */
async function transportTo(
  endpoint: Endpoint,
  signal: AbortSignal,
  through: DialOptions['through'],
): Promise<Duplex | undefined> {
  const proxy = proxyFor(endpoint);
  through?.(proxy);
  if (endpoint.tunnel) return dialTunnel(endpoint, endpoint.tunnel, { proxy, signal });
  return proxy && connectThrough(proxy, endpoint, signal);
}

/** Why a site takes no link, by the status of its answer: see `access-server.ts`. */
const REFUSED: Record<number, string> = {
  401: 'by the clock of the site the certificate of this link has ended, or is not good yet: set the clock that is wrong',
  403: 'the site refuses this link: it was revoked there',
};

/** A WebSocket to the other site's router. */
export async function dialLink(options: DialOptions): Promise<MessageSocket> {
  const { host, port, signal } = options;
  signal.throwIfAborted();
  const socket = await dialTls(options);
  try {
    const head = await requestUpgrade({ host: hostInUrl(host), port, path: LINK_PATH, subprotocol: SUBPROTOCOL, socket, signal });
    return new MessageSocket(socket, { dialled: true, head, maxMessageBytes: MAX_MESSAGE_BYTES });
  } catch (error) {
    const why = error instanceof UpgradeRefused ? REFUSED[error.status] : undefined;
    throw why === undefined ? error : new Error(why, { cause: error });
  }
}
