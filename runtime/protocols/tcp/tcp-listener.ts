import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { acceptClients } from '../accept-clients.ts';
import type { ClientInfo } from '../client-info.ts';
import type { OpenListener, Way } from '../listener.ts';
import { abort } from '../splice.ts';
import { resetWhenIdle } from './idle.ts';

/** A socket that listens for TCP clients: each gets a stream of its own. */
export const openTcpListener: OpenListener = (host, port, way) =>
  // A client waits, unread, until there is a server for it.
  acceptClients(host, port, way, (client, info) => void serve(client, info, way), { unread: true });

async function serve(client: Duplex, info: ClientInfo, way: Way): Promise<void> {
  way.count(client);
  try {
    const joined = await way.join(client, info);
    if (way.idleMs !== undefined) resetWhenIdle(client, joined, way.idleMs);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    way.log.warn(`a client of ${way.address} was refused: ${error.message}`);
    abort(client, error);
  }
}
