import { GrowingBuffer } from '../http/growing-buffer.ts';

/** Pieces are put together up to this: each costs more than a few bytes. Bytes. */
const SMALL_BYTES = 1024;
/** A piece keeps all of what was read with it. Where that is more than so many times its size, it is copied. */
const WASTE = 4;

/** Bytes that wait, in pieces. What they take is in proportion to their number, and so is the time, however small the pieces are. */
export class Pieces {
  readonly #pieces: Buffer[] = [];
  /** Small ones, behind all others. */
  #small: GrowingBuffer | undefined;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    // The first mostly leaves at once.
    const isFirst = this.#bytes === 0;
    this.#bytes += piece.length;
    if (!isFirst && (this.#small?.size ?? 0) + piece.length <= SMALL_BYTES) {
      this.#small ??= new GrowingBuffer();
      this.#small.add(piece);
      return;
    }
    this.#endSmall();
    this.#pieces.push(isFirst || piece.length * WASTE >= piece.buffer.byteLength ? piece : copyOf(piece));
  }

  /** Takes the first bytes out, so many at most; undefined where that is none. */
  take(most: number): Buffer | undefined {
    if (this.#pieces.length === 0) this.#endSmall();
    const first = this.#pieces[0];
    if (first === undefined || most <= 0) return undefined;
    const taken = first.length <= most ? first : first.subarray(0, most);
    if (taken === first) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(most);
    this.#bytes -= taken.length;
    return taken;
  }

  /** All of them, in order. */
  get all(): readonly Buffer[] {
    this.#endSmall();
    return this.#pieces;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#small = undefined;
    this.#bytes = 0;
  }

  #endSmall(): void {
    if (this.#small) this.#pieces.push(this.#small.bytes);
    this.#small = undefined;
  }
}

/** In memory of its own: what is taken from a pool keeps the pool. */
function copyOf(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length);
  piece.copy(copy);
  return copy;
}
