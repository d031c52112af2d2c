import { GrowingBuffer } from '../http/growing-buffer.ts';
import { ConnectionError, ErrorCode, FRAME_BYTES, HEADER_BYTES, MAX_WINDOW_BYTES, PREFACE } from './frames.ts';

/** Takes a frame. Returns false where the rest is for nobody any more. */
export type TakeFrame = (type: number, flags: number, stream: number, payload: Buffer) => boolean;

/** Takes frames out of the bytes of a connection, in whatever pieces they come. Payloads are parts of these, not copied. */
export class FrameReader {
  readonly #take: TakeFrame;
  /** Bytes of the client's preface that are still to come. */
  #prefaceLeft: number;
  /** A frame that has not come whole. */
  #held: GrowingBuffer | undefined;

  /** `hasPreface`: what comes is from a client. */
  constructor(hasPreface: boolean, take: TakeFrame) {
    this.#prefaceLeft = hasPreface ? PREFACE.length : 0;
    this.#take = take;
  }

  /** Throws a `ConnectionError`, and what is thrown for a frame. */
  read(chunk: Buffer): void {
    let bytes = this.#prefaceLeft > 0 ? this.#readPreface(chunk) : chunk;
    if (this.#held) {
      this.#held.add(bytes);
      ({ bytes } = this.#held);
    }
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_BYTES) throw new ConnectionError(ErrorCode.frameSize, 'a frame is larger than it may be');
      const from = at + HEADER_BYTES;
      if (bytes.length < from + length) break;
      const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW_BYTES;
      if (!this.#take(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(from, from + length))) return;
      at = from + length;
    }
    if (this.#held && at === 0) return;
    // What was read out of it is still in use: the rest goes into a new one.
    this.#held = at < bytes.length ? new GrowingBuffer() : undefined;
    this.#held?.add(bytes.subarray(at));
  }

  #readPreface(chunk: Buffer): Buffer {
    const from = PREFACE.length - this.#prefaceLeft;
    const size = Math.min(this.#prefaceLeft, chunk.length);
    if (PREFACE.compare(chunk, 0, size, from, from + size) !== 0)
      throw new ConnectionError(ErrorCode.protocol, 'it does not greet as a client of HTTP/2 does');
    this.#prefaceLeft -= size;
    return chunk.subarray(size);
  }
}
