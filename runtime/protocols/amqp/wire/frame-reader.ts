import { framingError } from './amqp-error.ts';
import { Decoder } from './decoder.ts';
import { FrameCutter, type FrameForm } from './frame-cutter.ts';

/** The header of a protocol, as `AMQP` 0 1 0 0 (section 2.2 of AMQP 1.0). Bytes. */
const PROTOCOL_HEADER_BYTES = 8;
const FRAME_HEADER_BYTES = 8;

export const AMQP_FRAME = 0x00;
export const SASL_FRAME = 0x01;

export interface FrameHandler {
  /** A protocol header came. Afterwards frames are read, until `expectHeader`. */
  header(header: Buffer): void;
  /** @param body Behind the frame's header. Empty for one that only says that its sender lives. */
  frame(type: number, channel: number, body: Decoder): void;
}

/** Takes what a peer sends, in any pieces, and hands out its headers and frames. */
export class FrameReader implements FrameForm {
  readonly #handler: FrameHandler;
  readonly #maxFrameBytes: number;
  readonly #cutter = new FrameCutter(this);
  #expectsHeader = true;
  #isClosed = false;

  constructor(handler: FrameHandler, maxFrameBytes: number) {
    this.#handler = handler;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** What comes next is a protocol header. */
  expectHeader(): void {
    this.#expectsHeader = true;
  }

  /** Whatever comes from now on is nobody's concern. */
  close(): void {
    this.#isClosed = true;
  }

  /** @throws {AmqpError} Where it is no frame, or too large. */
  push(piece: Buffer): void {
    if (!this.#isClosed) this.#cutter.push(piece);
  }

  sizeAt(bytes: Buffer, at: number): number {
    if (this.#expectsHeader) return PROTOCOL_HEADER_BYTES;
    if (bytes.length - at < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES;
    const size = bytes.readUInt32BE(at);
    if (size < FRAME_HEADER_BYTES) throw framingError('a frame is smaller than its header');
    if (size > this.#maxFrameBytes) throw framingError(`a frame is larger than ${this.#maxFrameBytes} bytes`);
    return size;
  }

  take(bytes: Buffer, at: number, end: number): boolean {
    if (this.#expectsHeader) {
      this.#expectsHeader = false;
      this.#handler.header(bytes.subarray(at, end));
    } else {
      const body = at + 4 * bytes[at + 4]!;
      if (body < at + FRAME_HEADER_BYTES || body > end) throw framingError('a frame starts behind its own end');
      this.#handler.frame(bytes[at + 5]!, bytes.readUInt16BE(at + 6), new Decoder(bytes, body, end));
    }
    return !this.#isClosed;
  }
}
