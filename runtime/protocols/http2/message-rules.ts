import type { Field, Fields } from './field.ts';

/** Fields that are about one connection of HTTP/1 (RFC 9113, section 8.2.2). */
const CONNECTION_SPECIFIC = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const REQUEST = new Set([':method', ':scheme', ':authority', ':path']);
const RESPONSE = new Set([':status']);
const NONE = new Set<string>();
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** RFC 3986, section 3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;
/** What no target or host has, and servers take for an attack on themselves. */
const NO_TARGET = /[^\x21-\x7e\x80-\uffff]/;
const NO_AUTHORITY = /[^\x21-\x7e\x80-\uffff]|[/@]/;
/** Larger numbers are not exact in JavaScript. */
const LENGTH = /^\d{1,15}$/;

/** A message that RFC 9113, section 8.1.1, calls malformed: its stream is reset. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/**
 * The length that a request's body must have, where it says so. `ended`: it has none. A host that says once more what the authority says is
 * taken out. Throws a `MalformedError` (RFC 9113, section 8.3.1).
 */
export function checkRequest(fields: Field[], ended: boolean): number | undefined {
  const { pseudo, length, host } = check(fields, REQUEST);
  const method = pseudo.get(':method');
  const path = pseudo.get(':path');
  const authority = pseudo.get(':authority');
  if (method === undefined || !TOKEN.test(method)) throw new MalformedError('a request has no method');
  for (const name of [authority, host])
    if (name !== undefined && NO_AUTHORITY.test(name)) throw new MalformedError('a request has a host that is none');
  if (host !== undefined && authority !== undefined) {
    // The one would be routed by, and the other be believed.
    if (!isSameHost(authority, host, pseudo.get(':scheme'))) throw new MalformedError('a request has two hosts');
    fields.splice(
      fields.findIndex(({ name }) => name === 'host'),
      1,
    );
  }
  if (method === 'CONNECT') {
    if (pseudo.size !== 2 || authority === undefined)
      throw new MalformedError('a request with CONNECT has more than a method and an authority');
  } else if (path === undefined || !SCHEME.test(pseudo.get(':scheme') ?? '') || (authority ?? host) === undefined)
    throw new MalformedError('a request has no path, no scheme or no authority');
  else if (NO_TARGET.test(path)) throw new MalformedError('a request has a path that is none');
  else if (!path.startsWith('/') && !(path === '*' && method === 'OPTIONS'))
    throw new MalformedError('a request has a path that is none');
  if (ended && length !== undefined && length > 0) throw new MalformedError('a request has a length and no body');
  return length;
}

/** Capitals make no difference, nor does the port that the scheme has anyway (RFC 3986, section 6.2). */
function isSameHost(authority: string, host: string, scheme: string | undefined): boolean {
  if (authority === host) return true;
  const own = scheme?.toLowerCase() === 'https' ? /:(443)?$/ : /:(80)?$/;
  const [one, other] = [authority, host].map((each) => each.toLowerCase().replace(own, ''));
  return one === other;
}

/** A response's status, and the length that its body must have, where it says so. Throws a `MalformedError` (RFC 9113, section 8.3.2). */
export function checkResponse(fields: Fields): { status: number; length: number | undefined } {
  const { pseudo, length } = check(fields, RESPONSE);
  const status = pseudo.get(':status');
  // 101 would change the protocol (RFC 9113, section 8.6).
  if (status === undefined || !/^[1-9]\d\d$/.test(status) || status === '101')
    throw new MalformedError('a response has no status');
  const code = Number(status);
  // What these say of a length is not of a body (RFC 9110, section 8.6).
  return { status: code, length: code < 200 || code === 204 || code === 304 ? undefined : length };
}

/** Throws a `MalformedError` (RFC 9113, section 8.1). */
export function checkTrailers(fields: Fields): void {
  check(fields, NONE);
}

function check(fields: Fields, known: ReadonlySet<string>) {
  const pseudo = new Map<string, string>();
  let length: string | undefined;
  let host: string | undefined;
  let isBehind = false;
  for (const { name, value, isLegal } of fields) {
    if (!isLegal) throw new MalformedError('a field has characters that none may have');
    if (name.startsWith(':')) {
      if (isBehind || pseudo.has(name) || !known.has(name)) throw new MalformedError(`the field ${name} is where none may be`);
      pseudo.set(name, value);
      continue;
    }
    isBehind = true;
    if (CONNECTION_SPECIFIC.has(name)) throw new MalformedError(`the field ${name} is of HTTP/1`);
    if (name === 'te' && value.toLowerCase() !== 'trailers') throw new MalformedError('the field te has more than trailers');
    if (name === 'host') {
      if (host !== undefined) throw new MalformedError('there are several hosts');
      host = value;
    }
    if (name !== 'content-length') continue;
    if (length !== undefined) throw new MalformedError('there are several lengths');
    length = value;
  }
  if (length !== undefined && !LENGTH.test(length)) throw new MalformedError('a length is none');
  return { pseudo, host, length: length === undefined ? undefined : Number(length) };
}
