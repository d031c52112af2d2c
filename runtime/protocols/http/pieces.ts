import type { Duplex } from 'node:stream';

/** Pieces that are kept one by one; beyond that they are joined, since each costs more than a few bytes. */
const MAX_PIECES = 64;

/** Several writes at once. False: `drain` comes when more should. */
export function writeAll(stream: Duplex, pieces: readonly Buffer[]): boolean {
  stream.cork();
  let takesMore = true;
  for (const piece of pieces) takesMore = stream.write(piece);
  stream.uncork();
  return takesMore;
}

/** The same bytes in a bounded number of pieces. */
export function compacted(pieces: Buffer[]): Buffer[] {
  return pieces.length > MAX_PIECES ? [Buffer.concat(pieces)] : pieces;
}
