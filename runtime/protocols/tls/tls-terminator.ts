import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { sparing } from '../../log.ts';
import { type ClientInfo, endsOf } from '../client-info.ts';
import type { Way } from '../listener.ts';
import { setCarrier } from './carrier.ts';
import { chooseAlpn } from './choose-alpn.ts';
import type { ServerTls } from './server-tls.ts';
import { whyClientFailed } from './words.ts';

/** For a client's handshake. Milliseconds. */
const HANDSHAKE_WITHIN_MS = 10_000;
/** RFC 8996: older ones must not be used. */
export const MIN_TLS_VERSION = 'TLSv1.2';

/**
 * Ends TLS on sockets that were accepted. Each set of credentials has one of its own, so that no session is resumed that began with others:
 * a client certificate might count no more.
 */
export function tlsTerminator(
  { certificate, key, clientAuthority, alpn }: ServerTls,
  { address, log }: Pick<Way, 'address' | 'log'>,
  onClient: (client: Socket, info: ClientInfo) => void,
): (socket: Socket) => void {
  const clientsLog = sparing(log);
  /** Those that are open, by their far end. */
  const sockets = new Map<string, Socket>();
  // It never listens: sockets are handed to it.
  const server = createServer({
    cert: certificate,
    key,
    ...(clientAuthority !== undefined && { ca: clientAuthority, requestCert: true, rejectUnauthorized: true }),
    minVersion: MIN_TLS_VERSION,
    // Of TLS 1.2; it serves nobody here, and costs the server more than the client.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: HANDSHAKE_WITHIN_MS,
    ALPNCallback: ({ protocols }) => chooseAlpn(alpn, protocols),
  });
  server.on('secureConnection', (client: TLSSocket) => {
    // Node leaves it open where TLS fails later, and says that it ended, as if it had ended well.
    client.on('error', () => client.destroy());
    const socket = sockets.get(farEnd(client));
    if (socket) setCarrier(client, socket);
    onClient(client, { ...endsOf(client), ...(client.alpnProtocol && { alpn: client.alpnProtocol }) });
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, client: TLSSocket) => {
    const reason = whyClientFailed(error, client.authorizationError);
    if (reason === undefined) log.debug('a client went away during its TLS handshake', { address });
    else clientsLog.warn('a client was refused by TLS', { address, reason });
  });
  return (socket) => {
    const end = farEnd(socket);
    sockets.set(end, socket);
    socket.once('close', () => sockets.get(end) === socket && sockets.delete(end));
    server.emit('connection', socket);
  };
}

function farEnd({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
