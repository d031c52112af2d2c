import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { type Log, sparing } from '../../log.ts';
import { acceptClients } from '../accept-clients.ts';
import type { ClientInfo } from '../client-info.ts';
import type { OpenListener, Way } from '../listener.ts';
import { abort } from '../splice.ts';
import { resetWhenIdle } from './idle.ts';

/** A socket that listens for TCP clients: each gets a stream of its own. */
export const openTcpListener: OpenListener = (host, port, way) => {
  const log = sparing(way.log);
  // A client waits, unread, until there is a server for it.
  return acceptClients(host, port, way, (client, info) => void serve(client, info, way, log), { unread: true });
};

async function serve(client: Duplex, info: ClientInfo, way: Way, log: Log): Promise<void> {
  way.count(client);
  try {
    const joined = await way.join(client, info);
    if (way.idleMs !== undefined) resetWhenIdle(client, joined, way.idleMs);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    log.warn('a client was refused', { address: way.address, reason: error.message });
    abort(client, error);
  }
}
