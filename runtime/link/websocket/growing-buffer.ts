/** What is taken at once, however much is announced: whoever announces much and sends little costs little. Bytes. */
const FIRST_BYTES = 64 * 1024;

/** Bytes that come in pieces. Memory grows with what has come, in steps of twice as much. */
export class GrowingBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `more`: so many bytes follow this piece, and no others; undefined where that is not known. */
  append(piece: Buffer, more?: number): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) this.#grow(needed, needed + (more ?? Infinity));
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** All of it; what comes next begins anew. */
  take(): Buffer {
    const all = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return all;
  }

  #grow(least: number, most: number): void {
    const size = Math.max(least, Math.min(most, Math.max(FIRST_BYTES, 2 * this.#bytes.length)));
    const larger = Buffer.allocUnsafeSlow(size);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
