import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameCutter } from './frame-cutter.ts';

/** Frames of the test: their length in two bytes, all of it, then whatever. */
const LENGTH_BYTES = 2;

function cut(pieces: readonly Buffer[], most = Infinity): Buffer[] {
  const frames: Buffer[] = [];
  const cutter = new FrameCutter({
    sizeAt: (bytes, at) => (bytes.length - at < LENGTH_BYTES ? LENGTH_BYTES : bytes.readUInt16BE(at)),
    take: (bytes, at, end) => frames.push(bytes.subarray(at, end)) < most,
  });
  for (const piece of pieces) cutter.push(piece);
  return frames;
}

const FRAMES = [2, 3, 300, 2, 70, 1000].map((size, i) => {
  const frame = Buffer.alloc(size, i);
  frame.writeUInt16BE(size);
  return frame;
});
// With memory of its own: a copy is told by having another.
const ALL = Buffer.from(new Uint8Array(Buffer.concat(FRAMES)).buffer);

describe('frames', () => {
  it('are the same in pieces of any size', () => {
    for (const size of [1, 2, 3, 5, 64, 299, 300, 301, ALL.length]) {
      const pieces = Array.from({ length: Math.ceil(ALL.length / size) }, (_, i) => ALL.subarray(i * size, (i + 1) * size));
      assert.deepEqual(cut(pieces), FRAMES, `in pieces of ${size}`);
    }
  });

  it('that come whole are parts of what came, also behind one that did not', () => {
    const frames = cut([ALL.subarray(0, 4), ALL.subarray(4)]);
    assert.deepEqual(frames, FRAMES);
    const isCopy = frames.map(({ buffer }) => buffer !== ALL.buffer);
    assert.deepEqual(isCopy, [false, true, false, false, false, false]);
  });

  it('behind the last that is wanted are left alone', () => {
    assert.equal(cut([ALL], 3).length, 3);
  });
});
