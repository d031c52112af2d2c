import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { duration } from '../../words.ts';
import type { Joined } from '../listener.ts';

/** Resets a client and its server once nothing has moved between them, in either direction, for so long. */
export function resetWhenIdle(client: Duplex, joined: Joined, idleMs: number): void {
  // Both directions pass through the client's socket, and it minds its time itself.
  if (!(client instanceof Socket)) return;
  client.setTimeout(idleMs, () => {
    joined.abort(new StreamError({ code: 'timeout', message: `nothing moved on the connection for ${duration(idleMs)}` }));
  });
}
