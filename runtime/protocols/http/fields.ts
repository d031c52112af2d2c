import { HttpError } from './http-error.ts';
import { COLON, CR, FIELD, HTAB, LF, SP, TOKEN } from './octets.ts';

/** Fields that mean something here; all others are passed on unread. */
const KNOWN = [
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
] as const;
export type KnownField = (typeof KNOWN)[number];

/** Names that some servers take for those above, since they turn `-` into `_`. */
export const LOOKALIKES: ReadonlySet<string> = new Set(['content_length', 'transfer_encoding']);

/** Where a field line stands in its head. `next` is behind its CRLF. */
export interface FieldLine {
  /** `named` is one that the Connection field names: it ends here, too. */
  field: KnownField | 'named';
  at: number;
  valueAt: number;
  valueEnd: number;
  next: number;
}

interface Candidate {
  name: string;
  folded: Uint8Array;
}

const BY_LENGTH: Candidate[][] = [];
for (const name of [...KNOWN, ...LOOKALIKES])
  (BY_LENGTH[name.length] ??= []).push({ name, folded: Uint8Array.from(Buffer.from(name), (byte) => byte | 0x20) });

/**
 * Reads field lines from `at` until the empty line that ends them, as RFC 9112, section 5, has them: no fold, no space before the colon, no
 * line end but CRLF. Returns those that are known, in their order. `end` is behind the empty line.
 */
export function readFieldLines(bytes: Buffer, at: number, end: number, most: number): FieldLine[] {
  const lines: FieldLine[] = [];
  const last = end - 2;
  let count = 0;
  while (at < last) {
    let here = at;
    while (TOKEN[bytes[here]!] === 1) here++;
    const nameEnd = here;
    if (bytes[here] !== COLON || nameEnd === at) throw new HttpError(400, lineProblem(bytes, at, nameEnd));
    here++;
    while (bytes[here] === SP || bytes[here] === HTAB) here++;
    const valueAt = here;
    while (FIELD[bytes[here]!] === 1) here++;
    if (bytes[here] !== CR || bytes[here + 1] !== LF) throw new HttpError(400, 'has a control character in a field');
    if (++count > most) throw new HttpError(431, `has more than ${most} fields`);
    const field = known(bytes, at, nameEnd);
    if (field !== undefined) {
      let valueEnd = here;
      while (valueEnd > valueAt && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
      lines.push({ field, at, valueAt, valueEnd, next: here + 2 });
    }
    at = here + 2;
  }
  if (at !== last || bytes[at] !== CR || bytes[at + 1] !== LF) throw new HttpError(400, 'has fields that do not end');
  return lines;
}

/** Adds the lines of other fields by their names (lower case), in their place. */
export function withNamed(lines: FieldLine[], bytes: Buffer, at: number, end: number, names: readonly string[]): FieldLine[] {
  const all = [...lines];
  forEachField(bytes, at, end, (name, line) => {
    if (names.includes(name) && !lines.some((other) => other.at === line.at)) all.push({ field: 'named', ...line });
  });
  return all.sort((a, b) => a.at - b.at);
}

/** Every field of a head that was read without an error. Names are in lower case. */
export function forEachField(
  bytes: Buffer,
  at: number,
  end: number,
  visit: (name: string, line: Omit<FieldLine, 'field'>) => void,
): void {
  while (at < end - 2) {
    const colon = bytes.indexOf(COLON, at);
    const lineEnd = bytes.indexOf(CR, colon);
    let valueAt = colon + 1;
    while (bytes[valueAt] === SP || bytes[valueAt] === HTAB) valueAt++;
    let valueEnd = lineEnd;
    while (valueEnd > valueAt && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    visit(bytes.toString('latin1', at, colon).toLowerCase(), { at, valueAt, valueEnd, next: lineEnd + 2 });
    at = lineEnd + 2;
  }
}

/** The elements of a list of tokens, in lower case; empty ones do not count (RFC 9110, section 5.6.1). */
export function listOf(value: string): string[] {
  const elements = value.toLowerCase().split(',');
  return elements.map((element) => element.trim()).filter((element) => element !== '');
}

function known(bytes: Buffer, at: number, end: number): KnownField | undefined {
  const candidates = BY_LENGTH[end - at];
  if (candidates === undefined) return undefined;
  for (const { name, folded } of candidates) {
    let same = 0;
    // Among the bytes of a name, `| 0x20` makes letters small and leaves the rest apart.
    while (same < folded.length && (bytes[at + same]! | 0x20) === folded[same]) same++;
    if (same < folded.length) continue;
    if (LOOKALIKES.has(name)) throw new HttpError(400, `has a field ${name}, which some servers take for another one`);
    return name as KnownField;
  }
  return undefined;
}

function lineProblem(bytes: Buffer, at: number, nameEnd: number): string {
  const byte = bytes[nameEnd];
  if (byte !== SP && byte !== HTAB) return 'has a field whose name is none';
  return nameEnd === at ? 'has a field that goes on in the next line' : 'has a space before the colon of a field';
}
