import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { carrierOf } from './tls/carrier.ts';

/**
 * Joins two connections, byte for byte in both directions, with backpressure. When one side has sent all it has, the other learns just
 * that (half-close); when one side is reset or lost, the other is reset.
 */
export function splice(a: Duplex, b: Duplex): void {
  // A stream may have been reset in the moment that it was opened: nobody would hear of its end any more.
  const over = [a, b].find(({ destroyed }) => destroyed);
  if (over) {
    const cause = over.errored ?? new Error('the connection was closed');
    abort(a, cause);
    abort(b, cause);
    return;
  }
  pump(a, b);
  pump(b, a);
  follow(a, b);
  follow(b, a);
}

/** As `from.pipe(to)`, which keeps 2 KB for each connection to be able to end before its time: here `follow` sees to that. */
function pump(from: Duplex, to: Duplex): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  // A client that has nothing to say may have said so while its server was being reached.
  if (from.readableEnded) to.end();
  else from.on('end', () => to.end());
  from.resume();
}

function follow(leader: Duplex, other: Duplex): void {
  let cause: Error | undefined;
  leader.on('error', (error) => (cause = error));
  leader.on('close', () => {
    // A leader that closed after both directions ended has told the other side everything already.
    if (!leader.readableEnded || !leader.writableFinished) abort(other, cause ?? new Error('the connection was closed'));
  });
}

/** Ends a connection so that its far end sees a reset rather than a proper end, where that can still be told. */
export function abort(connection: Duplex, cause: Error): void {
  const carrier = carrierOf(connection);
  // What calls this may be TLS itself, with the end of a handshake or a piece of data: it goes on after that, with memory that a reset frees.
  if (carrier) setImmediate(reset, connection, carrier, cause);
  else reset(connection, connection, cause);
}

/** @param carrier The socket below it, where it is a TLS connection. */
function reset(connection: Duplex, carrier: Duplex, cause: Error): void {
  if (connection.destroyed) return;
  // While its end is on its way to the kernel, libuv refuses to reset a socket (EINVAL), and Node then never closes it.
  const isEnding = connection.writableEnded && !connection.writableFinished;
  if (carrier instanceof Socket && !isEnding) {
    carrier.resetAndDestroy();
    connection.destroy();
  } else connection.destroy(cause);
}
