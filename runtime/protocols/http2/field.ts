/** One field of a message: a header field, a pseudo header field (`:path`), or a trailer. */
export interface Field {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  /** No hop may put it into a compression table (RFC 7541, section 7.1.3). */
  readonly isSensitive: boolean;
  /** Its name and value may be in a message (RFC 9113, section 8.2.1). */
  readonly isLegal: boolean;
}

/** The fields of one message, in their order: pseudo header fields are first. */
export type Fields = readonly Field[];

/** A field of one's own. */
export function field(name: string, value: string): Field {
  return { name, value, isSensitive: false, isLegal: true };
}

/** One that somebody sent, checked. */
export function receivedField(name: string, value: string, isSensitive: boolean): Field {
  return { name, value, isSensitive, isLegal: NAME.test(name) && !ILLEGAL_VALUE.test(value) };
}

/** RFC 9113, section 8.2.1: a token (RFC 9110, section 5.6.2) without capitals, behind a colon or not. */
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Control characters, and spaces at either end. */
// oxlint-disable-next-line no-control-regex
const ILLEGAL_VALUE = /[\0-\x08\n-\x1f\x7f]|^[\t ]|[\t ]$/;

/** What it takes in a compression table, and towards SETTINGS_MAX_HEADER_LIST_SIZE (RFC 7541, section 4.1). Bytes. */
export function sizeOf({ name, value }: Field): number {
  return name.length + value.length + 32;
}

/** Whether an end that takes so many bytes of fields takes these, all of a message or of its trailers (RFC 9113, section 6.5.2). */
export function areWithin(fields: Fields, bytes: number): boolean {
  if (bytes === Number.POSITIVE_INFINITY) return true;
  let size = 0;
  for (const each of fields) size += sizeOf(each);
  return size <= bytes;
}

/** The value of a field; of several the first. */
export function fieldOf(fields: Fields, name: string): string | undefined {
  return fields.find((each) => each.name === name)?.value;
}

/** All values of a field. */
export function valuesOf(fields: Fields, name: string): string[] {
  return fields.flatMap((each) => (each.name === name ? [each.value] : []));
}
