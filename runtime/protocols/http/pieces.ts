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

/** Takes the first bytes out of these pieces, so many at most. */
export function takeSome(pieces: Buffer[], most: number): Buffer[] {
  const taken: Buffer[] = [];
  for (let left = most; left > 0 && pieces.length > 0;) {
    const first = pieces.shift()!;
    if (first.length > left) pieces.unshift(first.subarray(left));
    taken.push(first.subarray(0, left));
    left -= Math.min(left, first.length);
  }
  return taken;
}

/** The same bytes in a bounded number of pieces. */
export function compacted(pieces: Buffer[]): Buffer[] {
  return pieces.length > MAX_PIECES ? [Buffer.concat(pieces)] : pieces;
}
