import { GatheredBytes } from '../http/gathered-bytes.ts';

/** Pieces are put together up to this: each costs more than a few bytes. Bytes. */
const SMALL_BYTES = 1024;
/** A piece keeps all of what was read with it. Where that is more than so many times its size, it is copied. */
const WASTE = 4;

/** Bytes that wait, in pieces. What they take is in proportion to their number, and so is the time, however small the pieces are. */
export class Pieces {
  /** Mostly the only one. */
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  /** Small ones, behind all others. */
  #small: GatheredBytes | undefined;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    // It mostly leaves at once.
    if (!this.#first) this.#first = piece;
    else if ((this.#small?.size ?? 0) + piece.length <= SMALL_BYTES) (this.#small ??= new GatheredBytes()).add(piece);
    else {
      this.#endSmall();
      (this.#rest ??= []).push(piece.length * WASTE >= piece.buffer.byteLength ? piece : copyOf(piece));
    }
  }

  /** Takes the first bytes out, so many at most; undefined where that is none. */
  take(most: number): Buffer | undefined {
    const first = this.#first;
    if (first === undefined || most <= 0) return undefined;
    if (first.length > most) {
      this.#first = first.subarray(most);
      this.#bytes -= most;
      return first.subarray(0, most);
    }
    if (!this.#rest?.length) this.#endSmall();
    this.#first = this.#rest?.shift();
    this.#bytes -= first.length;
    return first;
  }

  /** All of them, in order. */
  get all(): readonly Buffer[] {
    this.#endSmall();
    return this.#first ? [this.#first, ...(this.#rest ?? [])] : [];
  }

  clear(): void {
    this.#first = this.#rest = this.#small = undefined;
    this.#bytes = 0;
  }

  #endSmall(): void {
    if (this.#small) (this.#rest ??= []).push(this.#small.bytes);
    this.#small = undefined;
  }
}

/** In memory of its own: what is taken from a pool keeps the pool. */
function copyOf(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length);
  piece.copy(copy);
  return copy;
}
