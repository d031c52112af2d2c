import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inPieces, spoilt } from '../../../test/support/bad-bytes.ts';
import { Random } from '../../../test/simulation/random.ts';
import { FrameReader } from './frame-reader.ts';
import { ConnectionError, PREFACE } from './frames.ts';
import { frame } from './raw-frames.testkit.ts';

it('frames are the same in whatever pieces they come', () => {
  const frames = [0, 1, 16_384, 0, 3, 100].map((length, at) => frame(at, at, at, Buffer.alloc(length, at)));
  const bytes = Buffer.concat([PREFACE, ...frames]);
  for (const size of [1, 2, 9, 10, 23, 25, 1000, 16_393, 65_536]) {
    const seen: Buffer[] = [];
    const reader = new FrameReader(true, (type, flags, stream, payload) => {
      seen.push(frame(type, flags, stream, payload));
      return true;
    });
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
    assert.deepEqual(seen, frames, `in pieces of ${size}`);
  }
});

it('nothing is read behind a frame that ends it, also where that came in two pieces', () => {
  const bytes = Buffer.concat([frame(0, 0, 0), frame(1, 0, 0), frame(2, 0, 0)]);
  for (const size of [1, 4, 100]) {
    const seen: number[] = [];
    const reader = new FrameReader(false, (type) => seen.push(type) < 2);
    reader.read(bytes.subarray(0, size));
    if (seen.length < 2) reader.read(bytes.subarray(size));
    assert.deepEqual(seen, [0, 1]);
  }
});

it('frames that somebody spoilt are read or refused, the same in whatever pieces they come', () => {
  const good = Buffer.concat([
    PREFACE,
    ...[0, 1, 300, 0, 3, 100].map((length, at) => frame(at, at, at, Buffer.alloc(length, at))),
  ]);
  let refused = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const bad = spoilt(good, random);
    const said = readAll([bad]);
    if (typeof said.at(-1) === 'string') refused++;
    assert.deepEqual(readAll(inPieces(bad, 60, random)), said, `seed ${seed}`);
  }
  assert.ok(refused > 100 && refused < 1900, `${refused} of 2000 refused`);
});

function readAll(pieces: readonly Buffer[]): unknown[] {
  const said: unknown[] = [];
  const reader = new FrameReader(true, (type, flags, stream, payload) => {
    said.push([type, flags, stream, payload.toString('hex')]);
    return true;
  });
  try {
    for (const piece of pieces) reader.read(piece);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    said.push(error.message);
  }
  return said;
}
