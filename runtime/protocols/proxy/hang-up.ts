import type { Socket } from 'node:net';

/** A client that was refused may take this long to read why; RFC 1928, 6 wants the connection closed within 10 s. Milliseconds. */
const HANG_UP_MS = 2000;

/** Says a last word. What the client goes on sending is read away: unread, it would turn the end into a reset, and the word would be lost. */
export function hangUp(client: Socket, last: Buffer | string): void {
  client.end(last);
  client.resume();
  const limit = setTimeout(() => client.destroy(), HANG_UP_MS).unref();
  client.once('close', () => clearTimeout(limit));
}
