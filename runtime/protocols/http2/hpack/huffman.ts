import { CompressionError } from './compression-error.ts';

/**
 * The length of each byte's code, and behind them that of the end of a string, as letters from `a` for 5 bits to `z` for 30 (RFC 7541,
 * appendix B). That code is canonical: lengths tell all of it.
 */
const LENGTHS =
  'isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhfibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjixprpp' +
  'rrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrsvvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwvz';
const SHORTEST = 5;
const END = 256;

/** Of a node of the code's tree, for each half byte that may come next. */
interface Step {
  /** The node behind it; undefined where no string goes on like that. */
  next: number | undefined;
  /** A byte that ended in it: one at most, as no code is shorter than a half byte. */
  byte: number | undefined;
}

/** The tree: for each node, 16 steps. A string may end at those that so many ones, and no more than seven, lead to (section 5.2). */
const { steps, endings } = makeSteps();

/** The string that `bytes` encode from `at` to `end`. Throws a `CompressionError` where they encode none. */
export function decodeHuffman(bytes: Buffer, at: number, end: number): string {
  // No code is shorter than 5 bits.
  const out = Buffer.allocUnsafe(Math.ceil(((end - at) * 8) / SHORTEST));
  let size = 0;
  let node = 0;
  for (let half = at * 2; half < end * 2; half++) {
    const byte = bytes[half >> 1]!;
    const step = steps[node * 16 + (half & 1 ? byte & 15 : byte >> 4)]!;
    if (step.next === undefined) throw new CompressionError('a string has a code that is none');
    if (step.byte !== undefined) out[size++] = step.byte;
    node = step.next;
  }
  if (!endings.has(node)) throw new CompressionError('a string ends within a code');
  return out.toString('latin1', 0, size);
}

/** A branch is the number of another node, a leaf the byte below zero: -1 - byte. */
type Node = [zero: number | undefined, one: number | undefined];

function makeTree(): Node[] {
  const nodes: Node[] = [[undefined, undefined]];
  const symbols = Array.from(LENGTHS, (letter, symbol) => ({ symbol, bits: letter.charCodeAt(0) - 0x61 + SHORTEST }));
  let code = 0;
  let last = 0;
  for (const { symbol, bits } of symbols.toSorted((a, b) => a.bits - b.bits || a.symbol - b.symbol)) {
    code <<= bits - last;
    last = bits;
    let at = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const side = (code >> bit) & 1;
      at = nodes[at]![side] ??= nodes.push([undefined, undefined]) - 1;
    }
    nodes[at]![code & 1] = -1 - symbol;
    code++;
  }
  return nodes;
}

function makeSteps(): { steps: Step[]; endings: Set<number> } {
  const nodes = makeTree();
  const all = nodes.flatMap((_, from) =>
    Array.from({ length: 16 }, (__, half): Step => {
      let node: number | undefined = from;
      let byte: number | undefined;
      for (let bit = 3; bit >= 0 && node !== undefined; bit--) {
        const next: number | undefined = nodes[node]![(half >> bit) & 1];
        // The end of a string is never written out.
        if (next === undefined || next === -1 - END) return { next: undefined, byte };
        if (next < 0) byte = -1 - next;
        node = Math.max(next, 0);
      }
      return { next: node, byte };
    }),
  );
  const padded = [0];
  while (padded.length <= 7) padded.push(nodes[padded.at(-1)!]![1]!);
  return { steps: all, endings: new Set(padded) };
}
