import type { Random } from '../simulation/random.ts';

/** The same bytes in pieces of random sizes, of `most` bytes each. */
export function inPieces(whole: Buffer, most: number, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length;) {
    const size = random.integer(1, most);
    pieces.push(whole.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** A copy with one to four wrong places: bits and bytes changed, parts left out or repeated, the end cut off. Never empty. */
export function spoilt(whole: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(whole);
  for (let left = random.integer(1, 4); left > 0; left--) {
    const worse = random.pick(WAYS)(bytes, random);
    if (worse.length > 0) bytes = worse;
  }
  return bytes;
}

/** What parsers compare with: the least, the most, and their neighbours. */
const EDGES = [0, 1, 0x0a, 0x0d, 0x20, 0x3a, 0x7f, 0x80, 0xfe, 0xff];

const WAYS: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => changed(bytes, random, (byte) => byte ^ (1 << random.integer(0, 7))),
  (bytes, random) => changed(bytes, random, () => random.integer(0, 255)),
  (bytes, random) => changed(bytes, random, () => random.pick(EDGES)),
  (bytes, random) => bytes.subarray(0, random.integer(0, bytes.length)),
  (bytes, random) => {
    const [from, to] = part(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const [from, to] = part(bytes, random);
    const at = random.integer(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)]);
  },
];

function changed(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const at = random.integer(0, bytes.length - 1);
  bytes[at] = change(bytes[at]!);
  return bytes;
}

function part(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.integer(0, bytes.length - 1);
  return [from, Math.min(bytes.length, from + random.integer(1, 16))];
}
