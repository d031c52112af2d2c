const FIRST_BYTES = 1024;

/** Bytes that come in pieces, in one place. What is small is copied: a thousand buffers of one byte would take a thousand times as much. */
export class GatheredBytes {
  #buffer: Buffer | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** All that was added. Valid until more is. */
  get bytes(): Buffer {
    return this.#buffer?.subarray(0, this.#size) ?? Buffer.alloc(0);
  }

  add(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (this.#buffer === undefined || this.#buffer.length < size) {
      // Twice the size each time: what comes byte by byte is not copied at every byte.
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * size));
      this.#buffer?.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    piece.copy(this.#buffer, this.#size);
    this.#size = size;
  }
}
