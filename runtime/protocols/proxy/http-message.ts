/** What a proxy reads from the head of an HTTP/1.1 request, and what it passes on. Pure. */
import { isIP } from 'node:net';

export interface HttpTarget {
  /** Without brackets. */
  host: string;
  port: number;
}

/** An absolute URL's parts: where it leads, and what the server there is asked for. */
export interface ForwardTarget extends HttpTarget {
  /** What the server finds in `Host`. */
  authority: string;
  /** In origin-form: path and query. */
  path: string;
}

/**
 * Concern one connection only: RFC 9110, 7.6.1; and what clients send to proxies. `Trailer` merely announces what comes, whether or not it
 * does, and Node refuses it where the message that it makes has no trailers: those are passed on without.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** RFC 9110, 7.6.3: a proxy says that it was there. */
const VIA = ['Via', '1.1 caravan'];

/** The target of CONNECT: authority-form, `host:port` (RFC 9112, 3.2.3). Undefined where it is none. */
export function connectTarget(target: string): HttpTarget | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.%\w]+)\]|([^\s[\]:/?#@]+)):(\d{1,5})$/i.exec(target) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  return { host: plain!, port };
}

/** The target of any other request: absolute-form (RFC 9112, 3.2.2), `http` only. Undefined where it is none. */
export function forwardTarget(target: string): ForwardTarget | undefined {
  if (!/^http:\/\//i.test(target) || !URL.canParse(target)) return undefined;
  const { hostname, port, host, pathname, search, username, password } = new URL(target);
  // A name and a password in a target are an attempt to make it look like another: RFC 9110, 4.2.4.
  if (hostname === '' || port === '0' || username !== '' || password !== '') return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), authority: host, path: pathname + search };
}

/** The headers of a request, as the server gets them: names and values in turn, as in Node's `rawHeaders`. */
export function requestHeaders(raw: readonly string[], authority: string): string[] {
  const names = namesIn(raw);
  const chunked = names.has('transfer-encoding') ? ['Transfer-Encoding', 'chunked'] : [];
  // `Expect` was answered here already; `Host` is the target's, whatever the client wrote: RFC 9112, 3.2.2.
  // Kept alive, though not used again: a server that was told to close would do so in the middle of a request that it answers early.
  return ['Host', authority, ...endToEnd(raw, new Set(['host', 'expect'])), ...chunked, 'Connection', 'keep-alive', ...VIA];
}

/** The headers of an answer, as the client gets them. */
export function responseHeaders(raw: readonly string[]): string[] {
  return [...endToEnd(raw, new Set()), ...VIA];
}

/** Whether a request has a body: RFC 9112, 6. */
export function hasBody(raw: readonly string[]): boolean {
  const names = namesIn(raw);
  return names.has('transfer-encoding') || names.has('content-length');
}

/** Without what `Connection` names, whatever it is. */
function endToEnd(raw: readonly string[], except: ReadonlySet<string>): string[] {
  const named = new Set(
    pairs(raw)
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.toLowerCase().split(','))
      .map((name) => name.trim()),
  );
  // How long the body is stays, whoever asks otherwise: without it the message would have another end.
  named.delete('content-length');
  return pairs(raw)
    .filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP_BY_HOP.has(lower) && !named.has(lower) && !except.has(lower);
    })
    .flat();
}

function namesIn(raw: readonly string[]): Set<string> {
  return new Set(pairs(raw).map(([name]) => name.toLowerCase()));
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2]!, raw[at * 2 + 1]!]);
}
