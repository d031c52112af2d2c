import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const carriers = new WeakMap<Duplex, Socket>();

/** Notes which socket carries a TLS connection: only that one can be reset. */
export function setCarrier(connection: Duplex, socket: Socket): void {
  carriers.set(connection, socket);
}

export function carrierOf(connection: Duplex): Socket | undefined {
  return carriers.get(connection);
}
