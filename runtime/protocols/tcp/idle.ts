import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { duration } from '../../words.ts';
import { abort } from '../splice.ts';

/** Resets a client and its stream once nothing has moved between them, in either direction, for so long. */
export function resetWhenIdle(client: Duplex, stream: Duplex, idleMs: number): void {
  // Both directions pass through the client's socket, and it minds its time itself.
  if (!(client instanceof Socket)) return;
  client.setTimeout(idleMs, () => {
    const idle = new StreamError({ code: 'timeout', message: `nothing moved on the connection for ${duration(idleMs)}` });
    abort(stream, idle);
    abort(client, idle);
  });
}
