import type { Encoder } from './wire/encoder.ts';
import { MAX_HUB_FRAME_BYTES } from './limits.ts';
import { FrameCutter, type FrameForm } from './wire/frame-cutter.ts';

/** The version of what hubs speak among themselves: docs/amqp.md. The first number of every stream is the version of that stream. */
export const HUB_PROTOCOL = 2;
/** The first version that all hubs speak. A stream that is read only has it: its sender never hears what the others speak. */
export const FIRST_HUB_PROTOCOL = 1;
/** The first version in which a stream has a window. */
export const WINDOW_SINCE_PROTOCOL = 2;

/** From the hub with the sender. */
export const HELLO = 0;
export const MESSAGE = 1;
export const PART = 2;
export const ABORT = 3;
export const NEED = 4;
export const RETURNED = 5;
/** From the hub with the receivers. */
export const RECEIVERS = 16;
export const CREDIT = 17;
export const RECALL = 18;
export const ACCEPTED_RANGE = 19;
export const OUTCOME = 20;
export const GIVEN_BACK = 21;
export const TAKEN = 22;
/** Since version 2. */
export const FREED = 23;
export const PLACED = 24;

/** Flags of `MESSAGE` and `PART`. */
export const MORE = 1;
export const SETTLED = 2;

/** The other hub sent what this protocol does not have: its stream ends. */
export class HubProtocolError extends Error {
  override readonly name = 'HubProtocolError';
}

/** A frame's length before its type and body. Bytes. */
const LENGTH_BYTES = 4;

export function writeHubFrame(encoder: Encoder, type: number, ...numbers: number[]): void {
  encoder.uint32(1 + 4 * numbers.length);
  encoder.byte(type);
  for (const number of numbers) encoder.uint32(number);
}

/** Takes frames in any pieces. */
export class HubFrameReader implements FrameForm {
  readonly #frame: (type: number, body: Buffer) => void;
  readonly #cutter = new FrameCutter(this);

  constructor(frame: (type: number, body: Buffer) => void) {
    this.#frame = frame;
  }

  /** @throws {HubProtocolError} */
  push(piece: Buffer): void {
    this.#cutter.push(piece);
  }

  sizeAt(bytes: Buffer, at: number): number {
    if (bytes.length - at < LENGTH_BYTES) return LENGTH_BYTES;
    const length = bytes.readUInt32BE(at);
    if (length === 0 || length > MAX_HUB_FRAME_BYTES) throw new HubProtocolError(`a frame of ${length} bytes`);
    return LENGTH_BYTES + length;
  }

  take(bytes: Buffer, at: number, end: number): boolean {
    this.#frame(bytes[at + LENGTH_BYTES]!, bytes.subarray(at + LENGTH_BYTES + 1, end));
    return true;
  }
}

/** The number at a place of a frame's body. @throws {HubProtocolError} */
export function numberAt(body: Buffer, at: number): number {
  if (body.length < at + 4) throw new HubProtocolError('a frame is cut off');
  return body.readUInt32BE(at);
}
