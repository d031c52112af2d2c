/** Frames of a WebSocket one by one, also such as nobody may send (RFC 6455, section 5.2). */
import { createHash } from 'node:crypto';
import { FIN, LENGTH_16, LENGTH_64, MASKED } from './opcodes.ts';

export interface RawFrameOptions {
  /** Default true. */
  isLast?: boolean;
  /** Default: not masked. */
  mask?: number;
  /** Of the first byte, those that extensions may use. */
  bits?: number;
  /** What the header says of the payload's size, where that is not so. Bytes. */
  announced?: number;
}

export function rawFrame(
  opcode: number,
  payload: Uint8Array | string = '',
  { isLast = true, mask, bits = 0, announced }: RawFrameOptions = {},
): Buffer {
  const body = Buffer.from(payload);
  const key = Buffer.alloc(mask === undefined ? 0 : 4);
  if (mask !== undefined) {
    key.writeUInt32BE(mask);
    for (let at = 0; at < body.length; at++) body[at]! ^= key[at % 4]!;
  }
  const head = Buffer.of((isLast ? FIN : 0) | bits | opcode);
  return Buffer.concat([head, lengthOf(announced ?? body.length, mask === undefined ? 0 : MASKED), key, body]);
}

function lengthOf(size: number, masked: number): Buffer {
  if (size < LENGTH_16) return Buffer.of(masked | size);
  if (size < 2 ** 16) return Buffer.of(masked | LENGTH_16, size >> 8, size & 0xff);
  const length = Buffer.alloc(9);
  length[0] = masked | LENGTH_64;
  length.writeBigUInt64BE(BigInt(size), 1);
  return length;
}

/** Bytes that differ from place to place, so that none can be taken for another. */
export function patterned(size: number, from = 0): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = (from + at * 7 + (at >> 8)) & 0xff;
  return bytes;
}

/** Tells them apart in few words: large ones that differ would take minutes to show. */
export function brief(bytes: Buffer): string {
  if (bytes.length <= 50) return bytes.toString('latin1');
  return `${bytes.length} bytes ${createHash('sha1').update(bytes).digest('hex')}`;
}
