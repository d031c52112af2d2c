import { framingError } from './amqp-error.ts';

/** The header of a protocol, as `AMQP` 0 1 0 0 (section 2.2 of AMQP 1.0). Bytes. */
const PROTOCOL_HEADER_BYTES = 8;
const FRAME_HEADER_BYTES = 8;

export const AMQP_FRAME = 0x00;
export const SASL_FRAME = 0x01;

export interface FrameHandler {
  /** A protocol header came. Afterwards frames are read, until `expectHeader`. */
  header(header: Buffer): void;
  /** @param body Behind the frame's header. Empty for one that only says that its sender lives. */
  frame(type: number, channel: number, body: Buffer): void;
}

/** Takes what a peer sends, in any pieces, and hands out its headers and frames. Payloads are never copied where they come in one piece. */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #maxFrameBytes: number;
  #expectsHeader = true;
  #closed = false;
  #pieces: Buffer[] = [];
  #length = 0;
  /** Until so much is there, nothing can be read. */
  #wanted = 0;

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
    this.#closed = true;
    this.#pieces = [];
  }

  /** @throws {AmqpError} Where it is no frame, or too large. */
  push(piece: Buffer): void {
    if (this.#closed) return;
    if (this.#length > 0) {
      this.#pieces.push(piece);
      this.#length += piece.length;
      if (this.#length < this.#wanted) return;
      piece = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#length);
      this.#pieces = [];
      this.#length = 0;
    }
    let at = 0;
    for (;;) {
      const size = this.#sizeAt(piece, at);
      if (size > piece.length - at) {
        this.#wanted = size;
        break;
      }
      const end = at + size;
      if (this.#expectsHeader) {
        this.#expectsHeader = false;
        this.#handler.header(piece.subarray(at, end));
      } else {
        const body = at + 4 * piece[at + 4]!;
        if (body < at + FRAME_HEADER_BYTES || body > end) throw framingError('a frame starts behind its own end');
        this.#handler.frame(piece[at + 5]!, piece.readUInt16BE(at + 6), piece.subarray(body, end));
      }
      if (this.#closed) return;
      at = end;
    }
    if (at === piece.length) return;
    this.#pieces.push(at === 0 ? piece : piece.subarray(at));
    this.#length = piece.length - at;
  }

  #sizeAt(piece: Buffer, at: number): number {
    if (this.#expectsHeader) return PROTOCOL_HEADER_BYTES;
    if (piece.length - at < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES;
    const size = piece.readUInt32BE(at);
    if (size < FRAME_HEADER_BYTES) throw framingError('a frame is smaller than its header');
    if (size > this.#maxFrameBytes) throw framingError(`a frame is larger than ${this.#maxFrameBytes} bytes`);
    return size;
  }
}
