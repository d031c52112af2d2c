/** Pieces up to this are put together: each costs more than a few bytes. Bytes. */
const SMALL_BYTES = 1024;
/** A piece keeps all of what was read with it. Where that is more than so many times its size, it is copied. */
const WASTE = 4;

/** Adds a piece to those that wait, so that what they take is in proportion to their bytes, however small they are. */
export function addPiece(pieces: Buffer[], piece: Buffer): void {
  const last = pieces.at(-1);
  // The first mostly leaves at once.
  if (!last) pieces.push(piece);
  else if (last.length + piece.length <= SMALL_BYTES) pieces[pieces.length - 1] = copyOf(last, piece);
  else pieces.push(piece.length * WASTE < piece.buffer.byteLength ? copyOf(piece) : piece);
}

/** In memory of its own: what is taken from a pool keeps the pool. */
function copyOf(...pieces: Buffer[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) at += piece.copy(copy, at);
  return copy;
}
