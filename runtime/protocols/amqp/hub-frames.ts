import type { Encoder } from './wire/encoder.ts';
import { MAX_HUB_FRAME_BYTES } from './limits.ts';

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
export class HubFrameReader {
  readonly #frame: (type: number, body: Buffer) => void;
  #rest: Buffer[] = [];
  #length = 0;
  #wanted = 0;

  constructor(frame: (type: number, body: Buffer) => void) {
    this.#frame = frame;
  }

  /** @throws {HubProtocolError} */
  push(piece: Buffer): void {
    if (this.#length > 0) {
      this.#rest.push(piece);
      this.#length += piece.length;
      if (this.#length < this.#wanted) return;
      piece = Buffer.concat(this.#rest, this.#length);
      this.#rest = [];
      this.#length = 0;
    }
    let at = 0;
    while (piece.length - at > LENGTH_BYTES) {
      const length = piece.readUInt32BE(at);
      if (length === 0 || length > MAX_HUB_FRAME_BYTES) throw new HubProtocolError(`a frame of ${length} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (end > piece.length) {
        this.#wanted = end - at;
        break;
      }
      this.#frame(piece[at + LENGTH_BYTES]!, piece.subarray(at + LENGTH_BYTES + 1, end));
      at = end;
    }
    if (at === piece.length) return;
    if (piece.length - at <= LENGTH_BYTES) this.#wanted = LENGTH_BYTES + 1;
    this.#rest.push(piece.subarray(at));
    this.#length = piece.length - at;
  }
}

/** The number at a place of a frame's body. @throws {HubProtocolError} */
export function numberAt(body: Buffer, at: number): number {
  if (body.length < at + 4) throw new HubProtocolError('a frame is cut off');
  return body.readUInt32BE(at);
}
