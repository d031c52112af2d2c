import type { OutgoingHttpHeaders, OutgoingMessage } from 'node:http';
import type { Fields } from './fields.ts';

/** Fields as HTTP/1.1 has them: without pseudo header fields. */
export function plain(fields: Fields): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !name.startsWith(':')));
}

/** Trailers that Node does not send, for a character in them, are left out: the message has begun, and is whole without them. */
export function addTrailers(message: OutgoingMessage, trailers: OutgoingHttpHeaders): void {
  try {
    message.addTrailers(trailers);
  } catch {
    // The rest of the message stands.
  }
}
