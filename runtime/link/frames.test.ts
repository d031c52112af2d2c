import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeFrame,
  decodeJson,
  decodeNumber,
  encodeFrame,
  encodeJsonFrame,
  encodeNumberFrame,
  FrameType,
  HEADER_BYTES,
  ProtocolError,
} from './frames.ts';

describe('a frame', () => {
  for (const type of Object.values(FrameType))
    it(`of type ${type} is read as it was written`, () => {
      for (const stream of [0, 1, 2, 0x7fff_ffff, 0xffff_ffff])
        for (const body of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(70_000, 7)])
          assert.deepEqual(decodeFrame(encodeFrame(type, stream, body)), { type, stream, body });
    });

  it('stands on the wire as the protocol says', () => {
    assert.deepEqual([...encodeFrame(FrameType.data, 0x0102_0304, Buffer.from('hi'))], [19, 1, 2, 3, 4, 104, 105]);
    assert.deepEqual([...encodeNumberFrame(FrameType.credit, 1, 0x0102_0304)], [23, 0, 0, 0, 1, 1, 2, 3, 4]);
    assert.equal(HEADER_BYTES, 5);
  });

  it('carries numbers and JSON', () => {
    for (const value of [0, 1, 16 * 1024 * 1024, 0xffff_ffff])
      assert.equal(decodeNumber(decodeFrame(encodeNumberFrame(FrameType.credit, 9, value)).body), value);
    const value = { text: 'Zürich \u0000 😀', list: [1, null] };
    assert.deepEqual(decodeJson(decodeFrame(encodeJsonFrame(FrameType.open, 9, value)).body), value);
  });

  it('that is none is refused', () => {
    for (const length of [0, 1, 4]) assert.throws(() => decodeFrame(Buffer.alloc(length)), ProtocolError);
    for (const length of [0, 3, 5]) assert.throws(() => decodeNumber(Buffer.alloc(length)), ProtocolError);
    for (const text of ['', '{', 'hello', '\uFFFD']) assert.throws(() => decodeJson(Buffer.from(text)), ProtocolError);
  });
});
