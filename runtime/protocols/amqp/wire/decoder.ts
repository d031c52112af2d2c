import { decodeError } from './amqp-error.ts';

/** A described value may be described again; deeper than this nobody means it. */
const MAX_DESCRIPTIONS = 16;

/**
 * Reads AMQP's encoded values (part 1 of AMQP 1.0) one after another. It never builds what it is not asked for: a value that nobody
 * needs is skipped by its size, so a hostile count or depth costs nothing.
 */
export class Decoder {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Fields of the list that is being read. Outside of one: without limit. */
  #left = Infinity;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Where the next value starts. */
  get at(): number {
    return this.#at;
  }

  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** What a described value is, as the number of its descriptor; 0 for one that has a name instead. */
  descriptor(): number {
    if (this.#byte() !== 0x00) throw decodeError('a described value is missing');
    const code = this.#byte();
    if (code === 0x53) return this.#byte();
    if (code === 0x80) {
      const high = this.#unsigned(4);
      const low = this.#unsigned(4);
      return high === 0 ? low : 0;
    }
    this.#skip(code);
    return 0;
  }

  /** The fields of the list that starts here. This decoder goes on behind the list. */
  list(): Decoder {
    const code = this.#byte();
    if (code === 0x45) return this.#inner(this.#at, 0);
    if (code !== 0xc0 && code !== 0xd0) throw decodeError('a list is missing');
    const width = code === 0xc0 ? 1 : 4;
    const size = this.#unsigned(width);
    const start = this.#at;
    this.#forward(size);
    const fields = this.#inner(this.#at, 0);
    fields.#at = start;
    fields.#left = fields.#unsigned(width);
    return fields;
  }

  // The getters below return undefined for a field that is null or not there.

  unsigned(): number | undefined {
    const code = this.#code();
    if (code === undefined) return undefined;
    switch (code) {
      case 0x43: // uint 0
      case 0x44: // ulong 0
        return 0;
      case 0x50: // ubyte
      case 0x52: // smalluint
      case 0x53: // smallulong
        return this.#byte();
      case 0x60: // ushort
        return this.#unsigned(2);
      case 0x70: // uint
        return this.#unsigned(4);
      case 0x80: // ulong
        return this.#unsigned(4) * 2 ** 32 + this.#unsigned(4);
      default:
        throw decodeError('a number is missing');
    }
  }

  boolean(): boolean | undefined {
    const code = this.#code();
    if (code === undefined) return undefined;
    if (code === 0x41) return true;
    if (code === 0x42) return false;
    if (code === 0x56) return this.#byte() !== 0;
    throw decodeError('true or false is missing');
  }

  string(): string | undefined {
    return this.#variable(0xa1, 0xb1, 'a string')?.toString('utf8');
  }

  symbol(): string | undefined {
    return this.#variable(0xa3, 0xb3, 'a symbol')?.toString('latin1');
  }

  /** How long binary data is, which is passed over. Bytes. */
  binaryLength(): number | undefined {
    return this.#variableLength(0xa0, 0xb0, 'binary data');
  }

  /** The value as it is encoded, unread. */
  raw(): Buffer | undefined {
    const start = this.#at;
    const code = this.#code();
    if (code === undefined) return undefined;
    this.#skip(code);
    return this.#bytes.subarray(start, this.#at);
  }

  /** What is left, whatever it is. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  #inner(end: number, count: number): Decoder {
    const inner = new Decoder(this.#bytes, end, end);
    inner.#left = count;
    return inner;
  }

  #code(): number | undefined {
    if (this.#left === 0) return undefined;
    this.#left--;
    const code = this.#byte();
    return code === 0x40 ? undefined : code;
  }

  #variable(short: number, long: number, what: string): Buffer | undefined {
    const length = this.#variableLength(short, long, what);
    return length === undefined ? undefined : this.#bytes.subarray(this.#at - length, this.#at);
  }

  #variableLength(short: number, long: number, what: string): number | undefined {
    const code = this.#code();
    if (code === undefined) return undefined;
    if (code !== short && code !== long) throw decodeError(`${what} is missing`);
    const length = this.#unsigned(code === short ? 1 : 4);
    this.#forward(length);
    return length;
  }

  /** Over the rest of a value whose constructor was read: its first digit tells how long it is (section 1.2 of AMQP 1.0). */
  #skip(code: number): void {
    for (let descriptions = 0; code === 0x00; descriptions++) {
      if (descriptions === MAX_DESCRIPTIONS) throw decodeError('a value is described too often');
      this.#skip(this.#plainCode());
      code = this.#byte();
    }
    switch (code >> 4) {
      case 0x4:
        return;
      case 0x5:
        return this.#forward(1);
      case 0x6:
        return this.#forward(2);
      case 0x7:
        return this.#forward(4);
      case 0x8:
        return this.#forward(8);
      case 0x9:
        return this.#forward(16);
      case 0xa:
      case 0xc:
      case 0xe:
        return this.#forward(this.#unsigned(1));
      case 0xb:
      case 0xd:
      case 0xf:
        return this.#forward(this.#unsigned(4));
      default:
        throw decodeError(`0x${code.toString(16)} is no type of AMQP`);
    }
  }

  /** A descriptor is itself not described. */
  #plainCode(): number {
    const code = this.#byte();
    if (code === 0x00) throw decodeError('a descriptor is described');
    return code;
  }

  #byte(): number {
    this.#forward(1);
    return this.#bytes[this.#at - 1]!;
  }

  #unsigned(width: number): number {
    this.#forward(width);
    return this.#bytes.readUIntBE(this.#at - width, width);
  }

  #forward(size: number): void {
    if (size > this.#end - this.#at) throw decodeError('a value is longer than what it is in');
    this.#at += size;
  }
}
