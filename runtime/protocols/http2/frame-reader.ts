import { GatheredBytes } from '../http/gathered-bytes.ts';
import { ConnectionError, ErrorCode, FRAME_BYTES, HEADER_BYTES, MAX_WINDOW_BYTES, PREFACE } from './frames.ts';

/** Takes a frame. Returns false where the rest is for nobody any more. */
export type TakeFrame = (type: number, flags: number, stream: number, payload: Buffer) => boolean;

/** Takes frames out of the bytes of a connection, in whatever pieces they come. Payloads are parts of these, not copied. */
export class FrameReader {
  readonly #take: TakeFrame;
  /** Bytes of the client's preface that are still to come. */
  #prefaceLeft: number;
  /** A frame that has not come whole. */
  #held: GatheredBytes | undefined;

  /** `hasPreface`: what comes is from a client. */
  constructor(hasPreface: boolean, take: TakeFrame) {
    this.#prefaceLeft = hasPreface ? PREFACE.length : 0;
    this.#take = take;
  }

  /** Throws a `ConnectionError`, and what is thrown for a frame. */
  read(chunk: Buffer): void {
    const bytes = this.#prefaceLeft > 0 ? this.#readPreface(chunk) : chunk;
    let at = 0;
    while (this.#held) {
      at += this.#complete(this.#held, bytes, at);
      if (at === bytes.length) return;
    }
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + payloadBytes(bytes, at);
      if (bytes.length < end) break;
      if (!this.#takeFrom(bytes, at, end)) return;
      at = end;
    }
    if (at < bytes.length) this.#hold(bytes.subarray(at));
  }

  #hold(bytes: Buffer): void {
    this.#held = new GatheredBytes();
    this.#held.add(bytes);
  }

  /** Adds what the frame that is held lacks, and takes it where it is whole then. Returns how much that was: all, where nothing may follow. */
  #complete(held: GatheredBytes, bytes: Buffer, at: number): number {
    let used = this.#fill(held, HEADER_BYTES, bytes, at);
    if (held.size < HEADER_BYTES) return used;
    const size = HEADER_BYTES + payloadBytes(held.bytes, 0);
    used += this.#fill(held, size, bytes, at + used);
    if (held.size < size) return used;
    this.#held = undefined;
    return this.#takeFrom(held.bytes, 0, size) ? used : bytes.length - at;
  }

  /** So that it has `size` bytes. Returns how many were missing, and there. */
  #fill(held: GatheredBytes, size: number, bytes: Buffer, at: number): number {
    const missing = Math.max(0, Math.min(size - held.size, bytes.length - at));
    if (missing > 0) held.add(bytes.subarray(at, at + missing));
    return missing;
  }

  #takeFrom(bytes: Buffer, at: number, end: number): boolean {
    const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW_BYTES;
    return this.#take(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(at + HEADER_BYTES, end));
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

/** What the header at `at` says. Throws a `ConnectionError` where it is more than there may be. */
function payloadBytes(bytes: Buffer, at: number): number {
  const length = bytes.readUIntBE(at, 3);
  if (length > FRAME_BYTES) throw new ConnectionError(ErrorCode.frameSize, 'a frame is larger than it may be');
  return length;
}
