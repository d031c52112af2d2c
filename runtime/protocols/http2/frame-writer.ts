import { HEADER_BYTES } from './frames.ts';

/** Frames are gathered in pieces: a small one first, as most turns write little, then larger ones. Bytes. */
const FIRST_PIECE_BYTES = 1024;
const PIECE_BYTES = 16 * 1024;
/** A payload beyond this is passed on as it is, not copied behind its header. Bytes. */
const COPY_BYTES = 2048;
const NONE: Buffer = Buffer.alloc(0);

/** Gathers the frames of one turn, so that they leave in few writes. */
export class FrameWriter {
  #piece = NONE;
  /** Of `#piece`: what has been handed out, and what has been written. */
  #from = 0;
  #at = 0;
  #done: Buffer[] = [];
  /** Bytes that wait. */
  size = 0;

  /** `isCopied`: what the payload is in is used for something else afterwards. */
  frame(type: number, flags: number, stream: number, payload: Buffer, isCopied = payload.length <= COPY_BYTES): void {
    const { length } = payload;
    this.#header(type, flags, stream, length, isCopied ? length : 0);
    if (!isCopied) {
      this.#cut();
      this.#done.push(payload);
      this.size += length;
    } else if (length > 0) {
      payload.copy(this.#piece, this.#at);
      this.#wrote(length);
    }
  }

  /** One whose payload is one number of 4 bytes. */
  number(type: number, stream: number, value: number): void {
    this.#header(type, 0, stream, 4, 4);
    this.#piece.writeUInt32BE(value, this.#at);
    this.#wrote(4);
  }

  /** All that waits, in order. */
  take(): Buffer[] {
    this.#cut();
    const done = this.#done;
    this.#begin(NONE);
    this.#done = [];
    this.size = 0;
    return done;
  }

  /** Makes room for so much behind it, too. */
  #header(type: number, flags: number, stream: number, length: number, room: number): void {
    if (this.#piece.length - this.#at < HEADER_BYTES + room) {
      this.#cut();
      const least = this.size === 0 ? FIRST_PIECE_BYTES : PIECE_BYTES;
      this.#begin(Buffer.allocUnsafe(Math.max(least, HEADER_BYTES + room)));
    }
    const piece = this.#piece;
    const at = this.#at;
    piece[at] = length >> 16;
    piece[at + 1] = length >> 8;
    piece[at + 2] = length;
    piece[at + 3] = type;
    piece[at + 4] = flags;
    piece.writeUInt32BE(stream, at + 5);
    this.#wrote(HEADER_BYTES);
  }

  #begin(piece: Buffer): void {
    this.#piece = piece;
    this.#from = 0;
    this.#at = 0;
  }

  #wrote(bytes: number): void {
    this.#at += bytes;
    this.size += bytes;
  }

  #cut(): void {
    if (this.#at > this.#from) this.#done.push(this.#piece.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
