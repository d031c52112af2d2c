import type { FieldLine } from './fields.ts';
import { listOf } from './fields.ts';
import { type ForwardedLines, REWRITTEN } from './forwarded-lines.ts';
import type { RequestHead, ResponseHead } from './head.ts';

/** A body's first piece up to this size goes out in one write with its head: a copy is cheaper than a write. Bytes. */
const JOIN_BYTES = 8 * 1024;

/** Fields that are for one connection only (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set<FieldLine['field']>(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'named']);
const FRAMING = new Set<FieldLine['field']>(['content-length', 'transfer-encoding']);

export interface RequestPassing {
  /** The address, for clients that name no host. */
  address: string;
  /** The whole body is here: nobody has to be told to send it, and the protocol is not changed behind it. */
  isWhole?: boolean;
  /** The answer is put together with others: it must not come compressed. */
  isCollected?: boolean;
}

/** A request's head as a server gets it, and after it the first piece of its body where that is small. */
export function requestBytes(
  head: RequestHead,
  forwarded: ForwardedLines,
  { address, isWhole = false, isCollected = false }: RequestPassing,
  body: Buffer | undefined,
): Buffer {
  let added = forwarded.linesFor(head);
  if (head.upgrade !== undefined && !isWhole) added = `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n${added}`;
  // Trailers are passed on, so a client that wants them may say so; nothing else in this field is for the server.
  else if (listOf(head.known('te') ?? '').includes('trailers')) added = `Connection: TE\r\nTE: trailers\r\n${added}`;
  if (isCollected) added = `Accept-Encoding: identity\r\n${added}`;
  const hasHost = head.originTarget === undefined && head.lines.some(({ field }) => field === 'host');
  // An empty host is better than none: the server would refuse the request (RFC 9112, section 3.2).
  if (!hasHost) added = `Host: ${head.host || address}\r\n${added}`;
  const isLeftOut = ({ field }: FieldLine) =>
    HOP_BY_HOP.has(field) ||
    REWRITTEN.has(field) ||
    (field === 'host' && !hasHost) ||
    (field === 'accept-encoding' && isCollected) ||
    (field === 'expect' && (isWhole || head.minor === 0));
  const isAsItIs = head.minor === 1 && head.originTarget === undefined;
  const first = isAsItIs ? '' : `${head.method} ${head.target} HTTP/1.1\r\n`;
  return assemble(head, first, isAsItIs ? 0 : head.fieldsAt, isLeftOut, added, body);
}

export interface AnswerPassing {
  /** Of the client's HTTP/1. */
  minor: number;
  /** The client's connection ends behind the answer. */
  closes: boolean;
}

/** An answer's head as the client gets it, and after it the first piece of its body where that is small. */
export function answerBytes(head: ResponseHead, { minor, closes }: AnswerPassing, body: Buffer | undefined): Buffer {
  const { status } = head;
  const isLeftOut = ({ field }: FieldLine) => {
    if (FRAMING.has(field)) return head.hasNoBody || (minor === 0 && field === 'transfer-encoding');
    // Which protocols a server would rather speak is of use to the client in these two only.
    return HOP_BY_HOP.has(field) && field !== 'te';
  };
  let added = '';
  if (status === 101 || status === 426) added = `Connection: Upgrade\r\nUpgrade: ${head.known('upgrade') ?? ''}\r\n`;
  if (closes && status >= 200) added += 'Connection: close\r\n';
  else if (minor === 0) added += 'Connection: keep-alive\r\n';
  const isAsItIs = head.minor === 1;
  return assemble(head, isAsItIs ? '' : 'HTTP/1.1', isAsItIs ? 0 : head.statusAt, isLeftOut, added, body);
}

/** Whether a piece of a body goes out together with its head. */
export function isJoined(body: Buffer | undefined): body is Buffer {
  return body !== undefined && body.length <= JOIN_BYTES;
}

/** `first`, then the head's bytes from `from` on without the lines that are left out, then `added`, the empty line and the body. */
function assemble(
  head: RequestHead | ResponseHead,
  first: string,
  from: number,
  isLeftOut: (line: FieldLine) => boolean,
  added: string,
  body: Buffer | undefined,
): Buffer {
  const { bytes, lines } = head;
  const end = bytes.length - 2;
  const joined = isJoined(body) ? body : undefined;
  const out = Buffer.allocUnsafe(first.length + bytes.length - from + added.length + (joined?.length ?? 0));
  let size = out.write(first, 0, 'latin1');
  // Two lines of the same length are one too many.
  let hasLength = false;
  let copied = from;
  for (const line of lines) {
    const isSecond = line.field === 'content-length' && hasLength;
    hasLength ||= line.field === 'content-length';
    if (!isSecond && !isLeftOut(line)) continue;
    size += bytes.copy(out, size, copied, line.at);
    copied = line.next;
  }
  size += bytes.copy(out, size, copied, end);
  size += out.write(added, size, 'latin1');
  out[size++] = 0x0d;
  out[size++] = 0x0a;
  if (joined) size += joined.copy(out, size);
  return size === out.length ? out : out.subarray(0, size);
}
