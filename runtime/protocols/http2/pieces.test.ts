import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pieces } from './pieces.ts';

it('pieces that wait take what their bytes do, however many they are and whatever was read with them', () => {
  for (const size of [1, 500, 1023, 5000]) {
    const pieces = new Pieces();
    for (let at = 0; at < 1000; at++) {
      // Each alone in what one read brought.
      const read = Buffer.allocUnsafeSlow(64 * 1024);
      pieces.add(read.fill(at % 256).subarray(0, size));
    }
    const bytes = 1000 * size;
    assert.equal(pieces.bytes, bytes);
    assert.ok(pieces.all.length <= 3 + bytes / 500, `${pieces.all.length} pieces`);
    const held = pieces.all.slice(1).reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    assert.ok(held <= 4 * bytes, `${held} bytes are held for ${bytes}`);
    const expected = Buffer.concat(Array.from({ length: 1000 }, (_, at) => Buffer.alloc(size, at % 256)));
    assert.ok(Buffer.concat(pieces.all).equals(expected));
  }
});

it('pieces are taken out in their order, whatever is added meanwhile', () => {
  const pieces = new Pieces();
  const taken = [];
  let next = 0;
  for (const size of [1, 1, 2000, 3, 1, 1, 700, 700]) {
    pieces.add(Buffer.from(Array.from({ length: size }, () => next++ % 256)));
    taken.push(pieces.take(1)!, pieces.take(0) ?? Buffer.alloc(0));
  }
  for (let piece = pieces.take(300); piece; piece = pieces.take(300)) taken.push(piece);
  assert.equal(pieces.bytes, 0);
  assert.ok(Buffer.concat(taken).equals(Buffer.from(Array.from({ length: next }, (_, at) => at % 256))));
});

it('what was handed out stays as it was', () => {
  const pieces = new Pieces();
  for (const text of ['a', 'b', 'c']) pieces.add(Buffer.from(text));
  const [, second] = pieces.all;
  for (const text of ['d', 'e']) pieces.add(Buffer.from(text));
  assert.equal(String(second), 'bc');
  assert.equal(Buffer.concat(pieces.all).toString(), 'abcde');
});

it('a large piece is not copied', () => {
  const read = Buffer.allocUnsafeSlow(64 * 1024);
  const pieces = new Pieces();
  for (const at of [0, 1, 2]) pieces.add(read.subarray(at * 16_384, (at + 1) * 16_384));
  assert.deepEqual(
    pieces.all.map(({ buffer }) => buffer === read.buffer),
    [true, true, true],
  );
});
