import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { hostInUrl } from '../words.ts';
import type { Endpoint, Tunnel } from './endpoint.ts';
import { connectThrough, type HttpProxy } from './http-proxy.ts';
import { TUNNEL_PATH, TUNNEL_SUBPROTOCOL } from './take-tunnel.ts';
import { TunnelStream } from './tunnel-stream.ts';
import { requestUpgrade, UpgradeRefused } from './websocket/upgrade.ts';

/** What OpenSSL says of a certificate whose authority it does not know. */
const NOT_KNOWN = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/**
 * A connection through a tunnel to a site's port for links. The TLS around it, where its URL has one, is the proxy's, and verified as
 * browsers do. Rejects with one sentence, and leaves no socket behind, also when the signal is aborted.
 */
export async function dialTunnel(
  endpoint: Endpoint,
  { url, ca }: Tunnel,
  { proxy, signal }: { proxy: HttpProxy | undefined; signal: AbortSignal },
): Promise<Duplex> {
  const { host, port } = endpoint;
  const { protocol, pathname, port: written } = new URL(url);
  const way = proxy ? await connectThrough(proxy, { host, port }, signal) : connect({ host, port });
  way.setNoDelay(true);
  const servername = isIP(host) === 0 ? host : '';
  const verified = { host, servername, ...(ca !== undefined && { ca }), ALPNProtocols: ['http/1.1'] };
  const socket = protocol === 'https:' ? tlsConnect({ socket: way, ...verified }) : way;
  const path = pathname.replace(/\/$/, '') + TUNNEL_PATH;
  const asked = { host: hostInUrl(host), ...(written !== '' && { port }), path, subprotocol: TUNNEL_SUBPROTOCOL };
  try {
    const head = await requestUpgrade({ ...asked, socket, signal });
    return new TunnelStream(socket, { dialled: true, head });
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, host);
  }
}

function explained(error: NodeJS.ErrnoException, host: string): Error {
  if (error instanceof UpgradeRefused)
    return new Error(
      `${host} answers ${error.status} instead of leading to the site: ${WHY[error.status] ?? 'no tunnel ends there'}`,
      {
        cause: error,
      },
    );
  const { code = '', message } = error;
  if (NOT_KNOWN.test(code))
    return new Error(`${host} shows a certificate of an authority that is not known here: name that in settings.tunnelCa`, {
      cause: error,
    });
  return code.includes('CERT')
    ? new Error(`${host} shows a certificate that cannot be taken: ${message}`, { cause: error })
    : error;
}

const BEHIND = 'it does not reach the site behind it';
const WHY: Record<number, string> = {
  401: 'it wants a user and a password, which a tunnel has none of',
  403: 'it lets nobody through',
  502: BEHIND,
  503: BEHIND,
  504: BEHIND,
};
