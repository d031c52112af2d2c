/** A port of this computer where a program listens for TCP clients. */
export interface ListeningPort {
  /** Where a client of this computer reaches it. */
  host: '127.0.0.1' | '::1';
  port: number;
  /** For people: `node server.js`; undefined where it is not known. */
  process?: string;
}

/** A socket that listens, as a system lists it, with what leads to its program there. */
export interface ListeningSocket<Owner> {
  /** As it is bound: `127.0.0.1`, `0.0.0.0`, `::`, `192.0.2.7`. */
  address: string;
  port: number;
  owner: Owner;
}

/**
 * What of it a client on loopback reaches, by port, each once. IPv4's loopback counts where both lead there; a socket at `::` usually
 * takes both kinds of clients.
 */
export function onLoopback<Owner>(
  sockets: readonly ListeningSocket<Owner>[],
  processOf: (owner: Owner) => string | undefined,
): ListeningPort[] {
  const found = new Map<number, ListeningPort>();
  for (const { address, port, owner } of sockets) {
    const host = HOSTS[address.replace(/^::ffff:/i, '')];
    const known = found.get(port);
    if (host === undefined || (known && (known.host === '127.0.0.1' || host === '::1'))) continue;
    const process = processOf(owner);
    found.set(port, { host, port, ...(process ? { process } : {}) });
  }
  return [...found.values()].sort((a, b) => a.port - b.port);
}

const HOSTS: Record<string, ListeningPort['host']> = {
  '127.0.0.1': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  '*': '127.0.0.1',
  '::': '127.0.0.1',
  '::1': '::1',
};
