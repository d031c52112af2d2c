import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ClientInfo, endsOf } from './client-info.ts';
import { KEEP_ALIVE } from './keep-alive.ts';
import type { ProtocolListener, Way } from './listener.ts';
import type { ServerTls } from './tls/server-tls.ts';
import { tlsTerminator } from './tls/tls-terminator.ts';

/** Clients that wait to be taken in at most; further ones are refused by the system. */
const BACKLOG = 1024;

export interface AcceptOptions {
  /** Nothing is read of a client before its reader asks for it; else a little is. Default false. */
  unread?: boolean;
  /** A client that has ended may be answered still; else its connection ends with it. Default true. */
  halfOpen?: boolean;
}

/** Where clients connect. */
export interface ClientsPort extends ProtocolListener {
  /** `closed` is called when the last client has gone. */
  close(closed?: () => void): void;
}

/**
 * Opens the socket on which clients connect. Where the listener has TLS it is ended here: `onClient` gets what the client says in it. Its
 * errors are nobody's unless somebody listens. Rejects with the system's error.
 */
export function acceptClients(
  host: string,
  port: number,
  way: Pick<Way, 'address' | 'log' | 'tls'>,
  onClient: (client: Socket, info: ClientInfo) => void,
  { unread = false, halfOpen = true }: AcceptOptions = {},
): Promise<ClientsPort> {
  // Made anew when the certificate changes; connections that are up keep what they have.
  let terminator: { tls: ServerTls; end: ReturnType<typeof tlsTerminator> } | undefined;
  const server = createServer({ allowHalfOpen: halfOpen, pauseOnConnect: unread, noDelay: true, ...KEEP_ALIVE }, (socket) => {
    socket.on('error', () => {});
    if (!way.tls) return onClient(socket, endsOf(socket));
    if (terminator?.tls !== way.tls) terminator = { tls: way.tls, end: tlsTerminator(way.tls, way, onClient) };
    return terminator.end(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, close: (closed) => void server.close(closed) });
    });
  });
}
