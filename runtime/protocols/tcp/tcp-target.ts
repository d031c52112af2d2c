import { connect, type Socket } from 'node:net';
import { StreamError } from '../../link/reason.ts';
import type { Target } from '../../site/resources.ts';
import type { ClientInfo } from '../client-info.ts';
import { KEEP_ALIVE } from '../keep-alive.ts';
import type { ClientTls } from '../tls/client-tls.ts';
import { startTls } from '../tls/start-tls.ts';
import { proxyHeader } from './proxy-header.ts';

/** A server that does not answer within this, TLS included, is passed over. Milliseconds. */
export const CONNECT_WITHIN_MS = 5000;

/** How a connector's servers are spoken to. */
export interface TargetOptions {
  tls?: ClientTls;
  /** They are told where the client is, before its first byte. */
  proxyProtocol?: true;
}

/** A connection to one server, for one client. Rejects with a `StreamError` that names the server. */
export async function connectToTarget(
  target: Target,
  { tls, proxyProtocol }: TargetOptions = {},
  info: ClientInfo = {},
): Promise<Socket> {
  const deadline = performance.now() + CONNECT_WITHIN_MS;
  const socket = await connectTcp(target);
  if (proxyProtocol) socket.write(proxyHeader(info));
  if (!tls) return socket;
  // At least a moment: a timer of nothing would fire at once.
  const withinMs = Math.max(1, deadline - performance.now());
  return startTls(socket, tls, { target: target.name, alpn: info.alpn, withinMs });
}

function connectTcp({ host, port, name }: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, ...KEEP_ALIVE });
    const fail = (code: 'refused' | 'timeout', why: string) => {
      socket.destroy();
      reject(new StreamError({ code, message: `${name} ${why}` }));
    };
    socket.setTimeout(CONNECT_WITHIN_MS, () => fail('timeout', `does not answer (${CONNECT_WITHIN_MS / 1000} s)`));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(
        'refused',
        error.code === 'ECONNREFUSED' ? 'refuses connections' : `cannot be reached: ${error.code ?? error.message}`,
      ),
    );
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout').removeAllListeners('error');
      // The splice that follows listens; until then an early reset must not be an uncaught error.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
