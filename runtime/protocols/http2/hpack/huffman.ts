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

/**
 * The code's tree, a half byte at a step: for each node and each half byte that may come next, the node behind it, and the byte whose code
 * ended in it. One at most does, as no code is shorter than a half byte. -1: none.
 */
interface Table {
  next: Int16Array;
  byte: Int16Array;
  /** Nodes where a string may end: a code was complete, or begun with no more than seven ones (section 5.2). */
  endings: Set<number>;
}

let table: Table | undefined;

/** The string that `bytes` encode from `at` to `end`. Throws a `CompressionError` where they encode none. */
export function decodeHuffman(bytes: Buffer, at: number, end: number): string {
  // Made when there is first need of it: most routers never have any.
  table ??= makeTable();
  const { next, byte, endings } = table;
  const out = Buffer.allocUnsafe(Math.ceil(((end - at) * 8) / SHORTEST));
  let size = 0;
  let node = 0;
  for (let half = at * 2; half < end * 2; half++) {
    const both = bytes[half >> 1]!;
    const step = node * 16 + (half & 1 ? both & 15 : both >> 4);
    node = next[step]!;
    if (node < 0) throw new CompressionError('a string has a code that is none');
    if (byte[step]! >= 0) out[size++] = byte[step]!;
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

function makeTable(): Table {
  const nodes = makeTree();
  const next = new Int16Array(nodes.length * 16).fill(-1);
  const byte = new Int16Array(nodes.length * 16).fill(-1);
  for (let step = 0; step < next.length; step++) {
    let node: number | undefined = step >> 4;
    for (let bit = 3; bit >= 0 && node !== undefined; bit--) {
      const child: number | undefined = nodes[node]![(step >> bit) & 1];
      if (child !== undefined && child < 0) byte[step] = -1 - child;
      node = child === undefined ? undefined : Math.max(child, 0);
    }
    // The end of a string is never written out.
    if (node !== undefined && byte[step] !== END) next[step] = node;
  }
  const endings = [0];
  while (endings.length <= 7) endings.push(nodes[endings.at(-1)!]![1]!);
  return { next, byte, endings: new Set(endings) };
}
