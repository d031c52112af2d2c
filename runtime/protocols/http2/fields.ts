import { type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';
import type { Origin } from '../origin.ts';

/** The fields of one message as node:http2 takes them, pseudo header fields (`:path`) first among them. Names are in lower case. */
export type Fields = OutgoingHttpHeaders;

/** The key under which node:http2 lists fields that no hop may put into its compression table; a symbol, which its types hide. */
const SENSITIVE = sensitiveHeaders as unknown as string;

/** Fields that are about one connection only and never pass a proxy (RFC 9110, section 7.6.1; RFC 9113, section 8.2.2). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * The fields of a message that came over HTTP/2, for the next hop. Repeated fields stay as many as they were: some servers of gRPC do not
 * take binary metadata apart again that somebody joined with commas. Of a field that may be there once only, the first counts.
 */
export function received(headers: IncomingHttpHeaders, raw: readonly string[]): Fields {
  const fields = Object.create(null) as Fields;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!;
    const value = raw[at + 1]!;
    const known = fields[name];
    if (known === undefined) fields[name] = value;
    else if (Array.isArray(known)) known.push(value);
    // Node keeps the first alone of a field that may be there once.
    else if (headers[name] !== known) fields[name] = [known as string, value];
  }
  // Whoever marked a field as not to be put into compression tables means every hop (RFC 7541, section 7.1.3).
  const sensitive = headers[SENSITIVE];
  if (sensitive && sensitive.length > 0) fields[SENSITIVE] = sensitive;
  withoutHopByHop(fields);
  return fields;
}

/** Takes out what is about the connection: the well-known fields, and those that `Connection` names. `te: trailers` stays. */
export function withoutHopByHop(fields: Fields): void {
  const connection = fields['connection'];
  if (connection !== undefined) for (const name of String(connection).split(',')) delete fields[name.trim().toLowerCase()];
  const trailers = fields['te'] !== undefined && takesTrailers(fields['te']);
  for (const name in fields) if (HOP_BY_HOP.has(name)) delete fields[name];
  if (trailers) fields['te'] = 'trailers';
}

function takesTrailers(te: string): boolean {
  return te.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers');
}

/** Tells the next hop for whom it works: `Forwarded` (RFC 7239) and the older fields that everybody reads. */
export function addForwarded(fields: Fields, { address, node, proto }: Origin): void {
  const host = fields[':authority'] ?? fields['host'];
  const named = typeof host === 'string' ? host : undefined;
  append(fields, 'forwarded', `for=${node}${named === undefined ? '' : `;host=${quoted(named)}`};proto=${proto}`);
  append(fields, 'x-forwarded-for', address);
  fields['x-forwarded-proto'] ??= proto;
  if (named !== undefined) fields['x-forwarded-host'] ??= named;
}

function append(fields: Fields, name: string, value: string): void {
  const known = fields[name];
  fields[name] = known === undefined ? value : `${String(known)}, ${value}`;
}

/** A token as it is, anything else as a quoted string (RFC 9110, section 5.6). */
function quoted(value: string): string {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The value of a field; of several the first. */
export function fieldOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  return String(Array.isArray(value) ? value[0] : value);
}

/** Whether a request is gRPC's, whose errors are told in trailers. */
export function isGrpc(fields: Fields): boolean {
  const type = fields['content-type'];
  return typeof type === 'string' && /^application\/grpc($|[+;])/i.test(type);
}
