import { type Field, type Fields, sizeOf } from '../field.ts';
import { TABLE_BYTES } from './decoder.ts';
import { DynamicTable } from './dynamic-table.ts';
import { STATIC_TABLE } from './static-table.ts';

/** Values that hardly come twice would only drive out those that do: what nghttp2 leaves out, too. */
const NOT_INDEXED = new Set([
  ':path',
  'age',
  'content-length',
  'etag',
  'if-modified-since',
  'if-none-match',
  'location',
  'set-cookie',
]);
/** Secrets, and cookies so short that they could be guessed by what they compress to (RFC 7541, section 7.1.3). */
const SECRET = new Set(['authorization', 'proxy-authorization']);
const GUESSABLE_COOKIE_BYTES = 20;

const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const TABLE_SIZE = 0x20;
const NEVER_INDEXED = 0x10;
const WITHOUT_INDEXING = 0x00;

/** Where a name is in a table, and where it is with a value. */
interface Known {
  any: number;
  values: Map<string, number>;
}

const STATIC = new Map<string, Known>();
for (const [at, { name, value }] of STATIC_TABLE.entries()) {
  const known = STATIC.get(name) ?? { any: at + 1, values: new Map() };
  STATIC.set(name, known);
  known.values.set(value, at + 1);
}

/** Writes blocks of fields, one after the other as they go out on a connection (RFC 7541). Strings are not put into Huffman's code. */
export class HpackEncoder {
  /** By number in the table: see `DynamicTable`. */
  readonly #known = new Map<string, Known>();
  readonly #table = new DynamicTable(TABLE_BYTES, (field, number) => this.#forget(field, number));
  #out: Buffer = Buffer.allocUnsafeSlow(256);
  #at = 0;
  /** The smallest size that the table has had since the last block; undefined where it has not changed. */
  #smallest: number | undefined;

  /** The other end keeps a table of so much at most: no more than the default is used of it. Bytes. */
  limitTable(bytes: number): void {
    const most = Math.min(bytes, TABLE_BYTES);
    if (most === this.#table.maxBytes) return;
    this.#table.resize(most);
    this.#smallest = Math.min(most, this.#smallest ?? most);
  }

  /** The block of these fields. Valid until the next one. */
  encode(fields: Fields): Buffer {
    this.#at = 0;
    if (this.#smallest !== undefined) this.#tellSize(this.#smallest);
    for (const field of fields) this.#field(field);
    return this.#out.subarray(0, this.#at);
  }

  /** Section 4.2: what was dropped at the smallest size is gone, however large the table is now. */
  #tellSize(smallest: number): void {
    this.#smallest = undefined;
    const { maxBytes } = this.#table;
    if (smallest < maxBytes) this.#number(TABLE_SIZE, 5, smallest);
    this.#number(TABLE_SIZE, 5, maxBytes);
  }

  #field(field: Field): void {
    const { name, value } = field;
    this.#reserve(name.length + value.length);
    const fixed = STATIC.get(name);
    const known = this.#known.get(name);
    const number = known?.values.get(value);
    const index = fixed?.values.get(value) ?? (number === undefined ? undefined : this.#indexOf(number));
    if (index !== undefined && !field.isSensitive) {
      this.#number(INDEXED, 7, index);
      return;
    }
    const nameIndex = fixed?.any ?? (known ? this.#indexOf(known.any) : 0);
    if (isSecret(field)) this.#number(NEVER_INDEXED, 4, nameIndex);
    else if (this.#isWorthIndexing(field)) {
      this.#number(WITH_INDEXING, 6, nameIndex);
      this.#remember(field);
    } else this.#number(WITHOUT_INDEXING, 4, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #isWorthIndexing(field: Field): boolean {
    return !NOT_INDEXED.has(field.name) && sizeOf(field) <= (this.#table.maxBytes * 3) / 4;
  }

  #indexOf(number: number): number {
    return STATIC_TABLE.length + this.#table.count - number;
  }

  #remember(field: Field): void {
    const number = this.#table.count;
    if (!this.#table.add(field)) return;
    let known = this.#known.get(field.name);
    if (!known) this.#known.set(field.name, (known = { any: number, values: new Map() }));
    known.any = number;
    known.values.set(field.value, number);
  }

  #forget({ name, value }: Field, number: number): void {
    const known = this.#known.get(name)!;
    if (known.values.get(value) === number) known.values.delete(value);
    if (known.values.size === 0) this.#known.delete(name);
  }

  /** Section 5.1. */
  #number(flags: number, bits: number, value: number): void {
    const most = 2 ** bits - 1;
    if (value < most) {
      this.#out[this.#at++] = flags | value;
      return;
    }
    this.#out[this.#at++] = flags | most;
    for (value -= most; value >= 128; value >>= 7) this.#out[this.#at++] = (value & 127) | 128;
    this.#out[this.#at++] = value;
  }

  #string(text: string): void {
    this.#number(0, 7, text.length);
    this.#at += this.#out.write(text, this.#at, 'latin1');
  }

  /** Room for strings of so many bytes, and the numbers before them. */
  #reserve(bytes: number): void {
    const needed = this.#at + bytes + 32;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    this.#out.copy(larger, 0, 0, this.#at);
    this.#out = larger;
  }
}

function isSecret({ name, value, isSensitive }: Field): boolean {
  return isSensitive || SECRET.has(name) || (name === 'cookie' && value.length < GUESSABLE_COOKIE_BYTES);
}
