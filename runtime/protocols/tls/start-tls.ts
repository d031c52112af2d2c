import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { sentence } from '../../errors.ts';
import { StreamError } from '../../link/reason.ts';
import { setCarrier } from './carrier.ts';
import type { ClientTls } from './client-tls.ts';
import { systemAuthorities } from './system-authorities.ts';
import { MIN_TLS_VERSION } from './tls-terminator.ts';
import { isTlsError, type TlsServerView, whyServerFailed } from './words.ts';

/** TLS with a server came to nothing: something to mend, at the server or at its connector. */
export class TlsServerError extends StreamError {}

export interface StartTlsOptions {
  /** The server's name, for people. */
  target: string;
  /** What the client agreed on with its listener. */
  alpn?: string | undefined;
  withinMs: number;
}

const contexts = new WeakMap<ClientTls, SecureContext>();

/**
 * Speaks TLS over a connection to a server, once that has shown who it is. Rejects with a `TlsServerError` in one sentence. Errors that
 * come later say what is wrong in words, too.
 */
export async function startTls(socket: Socket, tls: ClientTls, { target, alpn, withinMs }: StartTlsOptions): Promise<TLSSocket> {
  const { serverName, insecure, anyName } = tls;
  const offered = alpn === undefined ? (tls.alpn ?? []) : [alpn];
  const authority = tls.authority === undefined ? 'an authority that this system trusts' : "ca.crt of its connector's Secret";
  const view: TlsServerView = { target, serverName, authority, alpn: offered };
  const secureContext = contextOf(tls, (why) => {
    socket.destroy();
    return new TlsServerError({ code: 'refused', message: `TLS with ${target} cannot begin: ${why}` });
  });
  return new Promise((resolve, reject) => {
    const connection = connect({
      socket,
      secureContext,
      // RFC 6066, section 3: an address is no name.
      ...(serverName !== undefined && isIP(serverName) === 0 && { servername: serverName }),
      ...(offered.length > 0 && { ALPNProtocols: [...offered] }),
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_host, certificate) => (anyName ? undefined : checkServerIdentity(serverName ?? '', certificate)),
    });
    setCarrier(connection, socket);
    // Whatever comes after the first error is its consequence.
    connection.on('error', () => {});
    const fail = (message: string, code: 'refused' | 'timeout' = 'refused') => {
      clearTimeout(timer);
      connection.destroy();
      socket.destroy();
      reject(new TlsServerError({ code, message }));
    };
    const timer = setTimeout(() => fail(`${target} does not end its TLS handshake`, 'timeout'), withinMs);
    const failed = (error: NodeJS.ErrnoException) => fail(whyServerFailed(error, view));
    connection.once('error', failed);
    connection.once('secureConnect', () => {
      clearTimeout(timer);
      connection.off('error', failed);
      // In TLS 1.3 a server looks at the client's certificate after the client's handshake has ended. The message travels as it stands.
      connection.on('error', (error) => {
        if (isTlsError(error)) error.message = whyServerFailed(error, view);
        // Node leaves it open then, and says that it ended, as if it had ended well.
        connection.destroy();
      });
      resolve(connection);
    });
  });
}

/** Throws what `failed` makes of a reason. */
function contextOf(tls: ClientTls, failed: (why: string) => Error): SecureContext {
  const known = contexts.get(tls);
  if (known) return known;
  try {
    const ca = tls.authority ?? systemAuthorities();
    const context = createSecureContext({ ca, cert: tls.certificate, key: tls.key, minVersion: MIN_TLS_VERSION });
    contexts.set(tls, context);
    return context;
  } catch (error) {
    throw failed(sentence(error));
  }
}
