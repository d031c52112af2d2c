import type { OutgoingHttpHeaders, OutgoingMessage } from 'node:http';
import { type Field, field, type Fields } from './field.ts';

/** Fields as node:http has them: without pseudo header fields. */
export function plain(fields: Fields): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const { name, value } of fields) {
    if (name.startsWith(':')) continue;
    const known = headers[name];
    headers[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return headers;
}

/** What node:http has received. */
export function fieldsOf(headers: NodeJS.Dict<string | string[]>): Field[] {
  return Object.entries(headers).flatMap(([name, value = []]) =>
    Array.isArray(value) ? value.map((each) => field(name, each)) : field(name, value),
  );
}

/** Trailers that Node does not send, for a character in them, are left out: the message has begun, and is whole without them. */
export function addTrailers(message: OutgoingMessage, trailers: OutgoingHttpHeaders): void {
  try {
    message.addTrailers(trailers);
  } catch {
    // The rest of the message stands.
  }
}
