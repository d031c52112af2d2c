import { type Field, receivedField, sizeOf } from '../field.ts';
import { CompressionError } from './compression-error.ts';
import { DynamicTable } from './dynamic-table.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

/** What an encoder may use unless it is told otherwise (SETTINGS_HEADER_TABLE_SIZE). Bytes. */
export const TABLE_BYTES = 4096;
/** Numbers beyond this mean nothing here, and are not read on. */
const MAX_NUMBER = 2 ** 28;

/** The first byte's bits tell what comes (RFC 7541, section 6). */
const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const TABLE_SIZE = 0x20;
const NEVER_INDEXED = 0x10;

export interface FieldLimits {
  /** Fields of a message, and their bytes as RFC 7541, section 4.1, counts them. */
  headerFields: number;
  headerBytes: number;
}

/** Reads blocks of fields, one after the other as they came on a connection (RFC 7541). */
export class HpackDecoder {
  readonly #table = new DynamicTable(TABLE_BYTES);
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The fields of a whole block; undefined where they are more than the limits. Throws a `CompressionError`. */
  decode(block: Buffer, { headerFields, headerBytes }: FieldLimits): Field[] | undefined {
    this.#bytes = block;
    this.#at = 0;
    const fields: Field[] = [];
    let size = 0;
    let isFirst = true;
    while (this.#at < block.length) {
      const byte = block[this.#at]!;
      if ((byte & 0xe0) === TABLE_SIZE) {
        if (!isFirst) throw new CompressionError('the size of a table changes within a block');
        this.#resize(this.#number(5));
        continue;
      }
      isFirst = false;
      const field = this.#field(byte);
      size += sizeOf(field);
      // What is too much is read all the same, since the table goes on from it, but not kept.
      if (size <= headerBytes && fields.length <= headerFields) fields.push(field);
    }
    return size <= headerBytes && fields.length <= headerFields ? fields : undefined;
  }

  #field(byte: number): Field {
    if (byte & INDEXED) return this.#entry(this.#number(7));
    const isIndexed = (byte & WITH_INDEXING) !== 0;
    const index = this.#number(isIndexed ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index).name;
    const field = receivedField(name, this.#string(), !isIndexed && (byte & NEVER_INDEXED) !== 0);
    if (isIndexed) this.#table.add(field);
    return field;
  }

  #entry(index: number): Field {
    const entry = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table.at(index - STATIC_TABLE.length - 1);
    if (!entry) throw new CompressionError(`there is no field ${index} in the table`);
    return entry;
  }

  #resize(size: number): void {
    if (size > TABLE_BYTES) throw new CompressionError('the table becomes larger than it may be');
    this.#table.resize(size);
  }

  /** Section 5.1. */
  #number(bits: number): number {
    const most = 2 ** bits - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let factor = 1; value < MAX_NUMBER; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new CompressionError('a number is too large');
  }

  /** Section 5.2. */
  #string(): string {
    const isHuffman = (this.#bytes[this.#at]! & 0x80) !== 0;
    const length = this.#number(7);
    const at = this.#at;
    const end = at + length;
    if (end > this.#bytes.length) throw new CompressionError('a string goes on behind the end');
    this.#at = end;
    return isHuffman ? decodeHuffman(this.#bytes, at, end) : this.#bytes.toString('latin1', at, end);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new CompressionError('a number goes on behind the end');
    return byte;
  }
}
