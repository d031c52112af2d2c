/** Pieces that are kept one by one; beyond that they are joined, since each costs more than a few bytes. */
const MAX_PIECES = 64;

/** The same bytes in a bounded number of pieces. */
export function compacted(pieces: Buffer[]): Buffer[] {
  return pieces.length > MAX_PIECES ? [Buffer.concat(pieces)] : pieces;
}
