import type { RequestTraits } from '../../routing/request-rule.ts';
import { type FieldLine, forEachField, type KnownField, listOf, readFieldLines, withNamed } from './fields.ts';
import { HttpError } from './http-error.ts';
import type { HttpLimits } from './limits.ts';
import { CR, FIELD, LF, SP, TARGET, TOKEN } from './octets.ts';

/** How many bytes of body follow a head, or how their end is told (RFC 9112, section 6.3). After an interim head comes another head. */
export type Framing = number | 'chunked' | 'until-close' | 'interim';

/** A host and perhaps a port, as RFC 9110, section 7.2, has them; it may be empty. */
const HOST = /^(?:[\w\-.~%!$&'()*+,;=]*|\[[\dA-Fa-f:.]+\])(?::\d*)?$/;
/** An absolute target (RFC 9112, section 3.2.2): its host and what is behind it. */
const ABSOLUTE = /^http:\/\/([^/?]+)(.*)$/i;
/** Larger numbers are not exact in JavaScript. */
const LENGTH = /^\d{1,15}$/;
/** ` HTTP/1.1` and CRLF. */
const VERSION_BYTES = 11;
const HTTP_1 = Buffer.from('HTTP/1.');
const ZERO = 0x30;

/** What both kinds of heads have: fields, where they stand, and what they mean for the connection and the body. */
class Head {
  /** The whole head, with its empty line. */
  readonly bytes: Buffer;
  readonly fieldsAt: number;
  /** Known fields. */
  readonly lines: readonly FieldLine[];
  /** Of HTTP/1. */
  readonly minor: number;
  readonly contentLength: number | undefined;
  readonly isChunked: boolean;
  /** Whether the connection stays for another message (RFC 9112, section 9.3). */
  readonly persists: boolean;
  readonly #options: readonly string[];

  constructor(bytes: Buffer, fieldsAt: number, minor: number, limits: HttpLimits) {
    this.bytes = bytes;
    this.fieldsAt = fieldsAt;
    this.minor = minor;
    let lines = readFieldLines(bytes, fieldsAt, bytes.length, limits.fields);
    let lengths: string | undefined;
    let codings: string | undefined;
    let options: string | undefined;
    for (const line of lines)
      if (line.field === 'content-length') {
        const value = this.text(line);
        if (lengths !== undefined && lengths !== value) throw new HttpError(400, 'has several Content-Lengths that differ');
        lengths = value;
      } else if (line.field === 'transfer-encoding') codings = joined(codings, this.text(line));
      else if (line.field === 'connection') options = joined(options, this.text(line));
    this.contentLength = lengths === undefined ? undefined : toLength(lengths);
    this.isChunked = codings !== undefined && isChunked(codings, minor);
    if (this.isChunked && lengths !== undefined)
      throw new HttpError(400, 'has both Content-Length and Transfer-Encoding, so nobody can tell where it ends');
    this.#options = options === undefined ? NONE : (COMMON.get(options) ?? listOf(options));
    this.persists = minor === 1 ? !this.#options.includes('close') : this.#options.includes('keep-alive');
    if (!this.#options.every((option) => OPTIONS.has(option))) {
      const named = this.#options.filter((option) => !OPTIONS.has(option));
      const framing = named.find((name) => UNNAMEABLE.has(name));
      if (framing !== undefined) throw new HttpError(400, `names ${framing} in its Connection field`);
      lines = withNamed(lines, bytes, fieldsAt, bytes.length, named);
    }
    this.lines = lines;
  }

  /** Whether the Connection field has this option. */
  hasOption(option: string): boolean {
    return this.#options.includes(option);
  }

  /** The value of a field, of several lines all of them; undefined where there is none. */
  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    let value: string | undefined;
    forEachField(this.bytes, this.fieldsAt, this.bytes.length, (field, line) => {
      if (field === wanted) value = joined(value, this.text(line));
    });
    return value;
  }

  /** The same for a known field, quickly. */
  known(field: KnownField): string | undefined {
    let value: string | undefined;
    for (const line of this.lines) if (line.field === field) value = joined(value, this.text(line));
    return value;
  }

  protected text({ valueAt, valueEnd }: Pick<FieldLine, 'valueAt' | 'valueEnd'>): string {
    return this.bytes.toString('latin1', valueAt, valueEnd);
  }
}

const NONE: readonly string[] = [];
/** What stands in almost every Connection field, read already. */
const COMMON = new Map(['keep-alive', 'Keep-Alive', 'close', 'Upgrade'].map((value) => [value, listOf(value)]));
/** Options of a connection that name no field, or one that is dropped anyway. */
const OPTIONS = new Set(['close', 'keep-alive', 'upgrade', 'te', 'proxy-connection']);
/** Without these a message would mean something else. */
const UNNAMEABLE = new Set(['host', 'content-length', 'transfer-encoding']);

/** A request's head. */
export class RequestHead extends Head implements RequestTraits {
  readonly method: string;
  readonly targetAt: number;
  readonly targetEnd: number;
  /** Empty where HTTP/1.0 gives none. */
  readonly host: string;
  /** Of an absolute target: what an origin server is asked for instead. */
  readonly originTarget: string | undefined;
  /** The protocols that the client would rather speak. */
  readonly upgrade: string | undefined;

  private constructor(bytes: Buffer, first: RequestLine, limits: HttpLimits) {
    super(bytes, first.next, first.minor, limits);
    this.method = first.method;
    this.targetAt = first.targetAt;
    this.targetEnd = first.targetEnd;
    let named: string | undefined;
    for (const line of this.lines)
      if (line.field === 'host') {
        if (named !== undefined) throw new HttpError(400, 'has more than one Host');
        named = this.text(line);
      }
    if (named === undefined && this.minor === 1) throw new HttpError(400, 'has no Host');
    let host = named ?? '';
    if (!HOST.test(host)) throw new HttpError(400, 'has a Host that is none');
    if (bytes[first.targetAt] !== 0x2f) {
      const target = bytes.toString('latin1', first.targetAt, first.targetEnd);
      const absolute = ABSOLUTE.exec(target);
      if (absolute) {
        // The target's host counts, whatever the field says (RFC 9112, section 3.2.2).
        host = absolute[1]!;
        if (!HOST.test(host)) throw new HttpError(400, 'has a target whose host is none');
        this.originTarget = `${absolute[2]!.startsWith('/') ? '' : '/'}${absolute[2]!}`;
      } else if (target !== '*' || this.method !== 'OPTIONS') throw new HttpError(400, 'has a target that is no path');
    }
    this.host = host;
    this.upgrade = this.minor === 1 && this.hasOption('upgrade') ? withoutHttp2(this.known('upgrade')) : undefined;
  }

  /** `bytes` is a whole head. Throws an `HttpError` at the first thing in it that is wrong. */
  static parse(this: void, bytes: Buffer, limits: HttpLimits): RequestHead {
    return new RequestHead(bytes, readRequestLine(bytes, limits.requestLineBytes), limits);
  }

  /** What an origin server is asked for. */
  get target(): string {
    return this.originTarget ?? this.bytes.toString('latin1', this.targetAt, this.targetEnd);
  }

  get framing(): number | 'chunked' {
    return this.isChunked ? 'chunked' : (this.contentLength ?? 0);
  }

  /** Without the query. */
  get path(): string {
    const { target } = this;
    const query = target.indexOf('?');
    return query === -1 ? target : target.slice(0, query);
  }

  /** Whether sending it twice is the same as sending it once (RFC 9110, section 9.2.2). */
  get isIdempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  /** The client waits for a word before it sends the body. HTTP/1.0 does not know that (RFC 9110, section 10.1.1). */
  get expectsContinue(): boolean {
    return this.minor === 1 && this.known('expect')?.toLowerCase() === '100-continue';
  }
}

/** Methods that may be repeated without harm (RFC 9110, section 9.2.2). */
export const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** The head of an answer. */
export class ResponseHead extends Head {
  readonly status: number;
  /** Behind the status line's version: ` 200 OK` and CRLF. */
  readonly statusAt = HTTP_1.length + 1;

  private constructor(bytes: Buffer, line: StatusLine, limits: HttpLimits) {
    super(bytes, line.next, line.minor, limits);
    this.status = line.status;
  }

  /** `bytes` is a whole head. Throws an `HttpError` at the first thing in it that is wrong. */
  static parse(this: void, bytes: Buffer, limits: HttpLimits): ResponseHead {
    return new ResponseHead(bytes, readStatusLine(bytes), limits);
  }

  get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get isInterim(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  /** What follows it, where it answers a request of that method (RFC 9112, section 6.3). */
  framing(method: string): Framing {
    if (this.isInterim) return 'interim';
    if (this.hasNoBody || this.status === 304 || method === 'HEAD') return 0;
    return this.isChunked ? 'chunked' : (this.contentLength ?? 'until-close');
  }

  /** Whatever its fields say of one (RFC 9110, section 8.6). */
  get hasNoBody(): boolean {
    return this.status < 200 || this.status === 204;
  }

  /** How long the server keeps an idle connection, where it says so. Milliseconds. */
  get idleMs(): number | undefined {
    const seconds = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(this.known('keep-alive') ?? '')?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  }
}

interface RequestLine {
  method: string;
  targetAt: number;
  targetEnd: number;
  minor: number;
  next: number;
}

/** RFC 9112, section 3: one space between its parts, and nothing else. */
function readRequestLine(bytes: Buffer, most: number): RequestLine {
  let at = 0;
  while (TOKEN[bytes[at]!] === 1) at++;
  if (at === 0 || bytes[at] !== SP) throw new HttpError(400, 'does not begin with a method');
  const methodEnd = at++;
  const targetAt = at;
  while (TARGET[bytes[at]!] === 1) at++;
  if (at + VERSION_BYTES > most) throw new HttpError(414, `has a first line of more than ${most} bytes`);
  if (at === targetAt || bytes[at] !== SP) throw new HttpError(400, 'has a target that is none');
  const minor = readVersion(bytes, at + 1);
  const next = at + 1 + HTTP_1.length + 1;
  if (bytes[next] !== CR || bytes[next + 1] !== LF) throw new HttpError(400, 'has a first line with too much in it');
  return { method: bytes.toString('latin1', 0, methodEnd), targetAt, targetEnd: at, minor, next: next + 2 };
}

interface StatusLine {
  status: number;
  minor: number;
  next: number;
}

/** RFC 9112, section 4. Some servers leave out the space where they give no reason; that is not ambiguous. */
function readStatusLine(bytes: Buffer): StatusLine {
  const minor = readVersion(bytes, 0);
  let at = HTTP_1.length + 1;
  const isSpace = bytes[at++] === SP;
  let status = 0;
  for (const end = at + 3; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    status = digit >= 0 && digit <= 9 ? status * 10 + digit : NaN;
  }
  const isStatus = status >= 100 && status < 600;
  if (!isSpace || !isStatus || (bytes[at] !== SP && bytes[at] !== CR)) throw new HttpError(400, 'has no status');
  while (FIELD[bytes[at]!] === 1) at++;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new HttpError(400, 'has a first line with a control character');
  return { status, minor, next: at + 2 };
}

function readVersion(bytes: Buffer, at: number): number {
  const minor = bytes[at + HTTP_1.length]! - ZERO;
  let same = 0;
  while (same < HTTP_1.length && bytes[at + same] === HTTP_1[same]) same++;
  if (same === HTTP_1.length && (minor === 0 || minor === 1)) return minor;
  // One digit on either side (RFC 9112, section 2.3).
  if (/^HTTP\/\d\.\d\r\n$/.test(bytes.toString('latin1', at, at + 10)))
    throw new HttpError(505, 'is of another version than HTTP/1');
  throw new HttpError(400, 'has no version of HTTP where one should be');
}

function toLength(value: string): number {
  if (!LENGTH.test(value)) throw new HttpError(400, 'has a Content-Length that is no number, or too large');
  return Number(value);
}

/** Whether it is just that. Throws for anything else: nobody may guess where such a message ends (RFC 9112, sections 6.1 and 6.3). */
function isChunked(codings: string, minor: number): true {
  if (minor === 0) throw new HttpError(400, 'has a Transfer-Encoding, which HTTP/1.0 does not know');
  if (codings.toLowerCase() === 'chunked') return true;
  const list = codings.toLowerCase().split(',');
  const isUnderstood = list.every((coding, at) => (coding.trim() === 'chunked') === (at === list.length - 1));
  if (isUnderstood) throw new HttpError(501, 'has a Transfer-Encoding other than chunked');
  throw new HttpError(400, 'has a Transfer-Encoding that does not end with chunked alone');
}

/** HTTP/2 in the middle of a connection would go past what is decided here request by request; RFC 9113 has given that up. */
function withoutHttp2(upgrade: string | undefined): string | undefined {
  return upgrade === undefined || listOf(upgrade).some((protocol) => protocol.startsWith('h2')) ? undefined : upgrade;
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}
