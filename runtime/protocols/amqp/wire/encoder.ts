/** What is allocated at once. Bytes. */
const CHUNK_BYTES = 64 * 1024;

/** Writes AMQP's encoded values (part 1 of AMQP 1.0), and whatever else goes on a wire, into as few buffers as possible. */
export class Encoder {
  #bytes: Buffer = Buffer.allocUnsafe(0);
  #start = 0;
  #at = 0;

  /** Bytes that were written and not taken. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** What was written since the last time. */
  take(): Buffer {
    const taken = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return taken;
  }

  byte(value: number): void {
    this.#need(1);
    this.#bytes[this.#at++] = value;
  }

  /** Big endian, 2 bytes. */
  uint16(value: number): void {
    this.#need(2);
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
  }

  /** Big endian, 4 bytes. */
  uint32(value: number): void {
    this.#need(4);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.#need(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Writes a number over the 4 bytes that are at `length` then. */
  setUint32(at: number, value: number): void {
    this.#bytes.writeUInt32BE(value, this.#start + at);
  }

  // AMQP's types. A value that is undefined is written as null.

  null(): void {
    this.byte(0x40);
  }

  boolean(value: boolean | undefined): void {
    if (value === undefined) this.null();
    else this.byte(value ? 0x41 : 0x42);
  }

  ubyte(value: number | undefined): void {
    if (value === undefined) return this.null();
    this.byte(0x50);
    this.byte(value);
  }

  ushort(value: number | undefined): void {
    if (value === undefined) return this.null();
    this.byte(0x60);
    this.uint16(value);
  }

  uint(value: number | undefined): void {
    if (value === undefined) this.null();
    else if (value === 0) this.byte(0x43);
    else if (value < 256) {
      this.byte(0x52);
      this.byte(value);
    } else {
      this.byte(0x70);
      this.uint32(value);
    }
  }

  string(value: string | undefined): void {
    this.#text(value, 0xa1, 'utf8');
  }

  symbol(value: string | undefined): void {
    this.#text(value, 0xa3, 'latin1');
  }

  binary(value: Buffer | undefined): void {
    if (value) this.#variable(value, 0xa0);
    else this.null();
  }

  /** A value that is encoded already. */
  raw(value: Buffer | undefined): void {
    if (value) this.bytes(value);
    else this.null();
  }

  symbols(values: readonly string[]): void {
    const encoded = values.map((value) => Buffer.from(value, 'latin1'));
    this.byte(0xf0);
    this.uint32(5 + encoded.reduce((sum, { length }) => sum + 4 + length, 0));
    this.uint32(values.length);
    this.byte(0xb3);
    for (const value of encoded) {
      this.uint32(value.length);
      this.bytes(value);
    }
  }

  /** A described list, as every performative, terminus and outcome is one; `count` is how many fields `fields` writes. */
  list(descriptor: number, count: number, fields: () => void): void {
    const at = this.beginList(descriptor, count);
    fields();
    this.endList(at);
  }

  /** Begins such a list, whose fields are written next, and which ends with `endList`. */
  beginList(descriptor: number, count: number): number {
    this.byte(0x00);
    this.byte(0x53);
    this.byte(descriptor);
    this.byte(0xd0);
    const at = this.length;
    this.uint32(0);
    this.uint32(count);
    return at;
  }

  /** @param at What `beginList` returned. */
  endList(at: number): void {
    this.setUint32(at, this.length - at - 4);
  }

  /** A map with symbols for its keys and strings for its values. */
  properties(entries: Record<string, string>): void {
    this.byte(0xd1);
    const at = this.length;
    this.uint32(0);
    this.uint32(Object.keys(entries).length * 2);
    for (const [key, value] of Object.entries(entries)) {
      this.symbol(key);
      this.string(value);
    }
    this.setUint32(at, this.length - at - 4);
  }

  #text(value: string | undefined, short: number, encoding: 'utf8' | 'latin1'): void {
    if (value === undefined) this.null();
    else this.#variable(Buffer.from(value, encoding), short);
  }

  /** The constructor for a long value is the short one's plus 0x10 (section 1.2 of AMQP 1.0). */
  #variable(value: Buffer, short: number): void {
    if (value.length < 256) {
      this.byte(short);
      this.byte(value.length);
    } else {
      this.byte(short + 0x10);
      this.uint32(value.length);
    }
    this.bytes(value);
  }

  #need(size: number): void {
    if (size <= this.#bytes.length - this.#at) return;
    const begun = this.length;
    const larger = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, 2 * (begun + size)));
    this.#bytes.copy(larger, 0, this.#start, this.#at);
    this.#bytes = larger;
    this.#start = 0;
    this.#at = begun;
  }
}
