import { connect, type Socket } from 'node:net';
import { StreamError } from '../../link/reason.ts';
import type { Target } from '../../site/resources.ts';

/** A server that does not answer within this is passed over. Milliseconds. */
export const CONNECT_WITHIN_MS = 5000;

/** A connection to one server. Rejects with a `StreamError` that names it. */
export function connectToTarget({ host, port, name }: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
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
