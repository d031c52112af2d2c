import { forEachField, listOf, LOOKALIKES } from '../http/fields.ts';
import type { RequestHead, ResponseHead } from '../http/head.ts';
import { NOT_BEHIND } from '../http/message-parser.ts';
import { statusLine } from '../http/own-answer.ts';
import { type Field, field, fieldOf, type Fields, valuesOf } from './field.ts';
import { withoutHopByHop } from './fields.ts';

/** Without a body these have no length either (RFC 9110, section 8.6). */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** What a client asks for, without what is about its connection. `address`: for clients that name no host. */
export function requestFields(head: RequestHead, address: string): Fields {
  const { method, host, target, minor } = head;
  const others = fieldsOf(head.bytes, head.fieldsAt).filter(
    // HTTP/1.0 does not know of expectations (RFC 9110, section 10.1.1).
    ({ name }) => name !== 'host' && (name !== 'expect' || minor === 1),
  );
  return [
    field(':method', method),
    field(':scheme', 'http'),
    field(':authority', host || address),
    field(':path', target),
    ...withoutHopByHop(others),
  ];
}

/** What a server answers, 1xx included, without what is about its connection. */
export function responseFields(head: ResponseHead): Fields {
  const fields = withoutHopByHop(fieldsOf(head.bytes, head.fieldsAt));
  return [field(':status', String(head.status)), ...(head.hasNoBody ? withoutLength(fields) : fields)];
}

/** What is behind a chunked body, as its parser hands it over; undefined where nothing is. */
export function trailerFields(lines: Buffer | undefined): Fields | undefined {
  const fields = lines ? withoutHopByHop(fieldsOf(lines, 0)) : [];
  return fields.length > 0 ? fields : undefined;
}

/** How a message begins. */
export interface Beginning {
  head: string;
  /** The body is in chunks. */
  isChunked: boolean;
}

/** The head of a request to a server. `ended`: there is no body. Throws where HTTP/1.1 has no words for it. */
export function requestHead(fields: Fields, ended: boolean): Beginning {
  const method = fieldOf(fields, ':method')!;
  const unclear = fields.find(({ name }) => LOOKALIKES.has(name))?.name;
  if (method === 'CONNECT' || unclear !== undefined)
    throw new Error(`${unclear ?? method} does not pass to a server that speaks HTTP/1.1`);
  const hasLength = fieldOf(fields, 'content-length') !== undefined;
  const isChunked = !ended && !hasLength;
  const lines = fieldLines(
    fields.filter(({ name }) => name !== 'host' && name !== 'cookie'),
    isChunked,
  );
  const host = fieldOf(fields, ':authority') ?? fieldOf(fields, 'host') ?? '';
  // HTTP/2 may send each cookie as a field of its own (RFC 9113, section 8.2.3).
  const cookies = valuesOf(fields, 'cookie');
  if (cookies.length > 0) lines.push(`cookie: ${cookies.join('; ')}`);
  // Whoever takes trailers says so to the next hop only (RFC 9110, section 10.1.4).
  if (fieldOf(fields, 'te') !== undefined) lines.push('connection: te');
  if (!isChunked && !hasLength && !BODILESS.has(method)) lines.push('content-length: 0');
  return { head: joined([`${method} ${fieldOf(fields, ':path')} HTTP/1.1`, `host: ${host}`, ...lines]), isChunked };
}

export interface ResponseOptions {
  /** There is no body. */
  ended: boolean;
  /** The request's. */
  method: string;
  /** The client understands chunks. */
  takesChunks: boolean;
  /** What is to be said of the connection. */
  connection: string | undefined;
}

/** The head of a response to a client. A body without a length and without chunks ends with the connection. */
export function responseHead(fields: Fields, { ended, method, takesChunks, connection }: ResponseOptions): Beginning {
  const status = Number(fieldOf(fields, ':status'));
  // Whatever its fields say of one (RFC 9110, section 8.6).
  const mayHaveLength = status >= 200 && status !== 204;
  const hasLength = mayHaveLength && fieldOf(fields, 'content-length') !== undefined;
  const isChunked = !ended && !hasLength && takesChunks;
  const lines = fieldLines(mayHaveLength ? fields : withoutLength(fields), isChunked);
  if (ended && mayHaveLength && !hasLength && status !== 304 && method !== 'HEAD') lines.push('content-length: 0');
  if (connection !== undefined) lines.push(`connection: ${connection}`);
  return { head: joined([statusLine(status), ...lines]), isChunked };
}

function withoutLength(fields: Fields): Fields {
  return fields.filter(({ name }) => name !== 'content-length');
}

/** Two lines of the same length are one too many. */
function fieldsOf(bytes: Buffer, at: number): Field[] {
  const fields: Field[] = [];
  let hasLength = false;
  forEachField(bytes, at, bytes.length, (name, { valueAt, valueEnd }) => {
    if (name !== 'content-length' || !hasLength) fields.push(field(name, bytes.toString('latin1', valueAt, valueEnd)));
    hasLength ||= name === 'content-length';
  });
  return fields;
}

/** Only what is chunked has a place for trailers, and not for every field. */
function fieldLines(fields: Fields, isChunked: boolean): string[] {
  const lines: string[] = [];
  for (const { name, value } of fields) {
    if (name.startsWith(':')) continue;
    const announced = name === 'trailer' ? listOf(value).filter((each) => isChunked && !NOT_BEHIND.has(each)) : undefined;
    if (announced === undefined) lines.push(`${name}: ${value}`);
    else if (announced.length > 0) lines.push(`${name}: ${announced.join(', ')}`);
  }
  if (isChunked) lines.push('transfer-encoding: chunked');
  return lines;
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}
