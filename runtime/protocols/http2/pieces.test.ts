import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addPiece } from './pieces.ts';

it('pieces that wait take what their bytes do, however many they are and whatever was read with them', () => {
  for (const size of [1, 500, 1023, 5000]) {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (let at = 0; at < 1000; at++) {
      // Each alone in what one read brought.
      const read = Buffer.allocUnsafeSlow(64 * 1024);
      addPiece(pieces, read.fill(at % 256).subarray(0, size));
      bytes += size;
    }
    assert.ok(pieces.length <= 2 + bytes / 500, `${pieces.length} pieces`);
    const held = pieces.slice(1).reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    assert.ok(held <= 4 * bytes, `${held} bytes are held for ${bytes}`);
    const expected = Buffer.concat(Array.from({ length: 1000 }, (_, at) => Buffer.alloc(size, at % 256)));
    assert.ok(Buffer.concat(pieces).equals(expected));
  }
});

it('a large piece is not copied', () => {
  const read = Buffer.allocUnsafeSlow(64 * 1024);
  const pieces: Buffer[] = [];
  for (const at of [0, 1, 2]) addPiece(pieces, read.subarray(at * 16_384, (at + 1) * 16_384));
  assert.deepEqual(
    pieces.map(({ buffer }) => buffer === read.buffer),
    [true, true, true],
  );
});
