import type { Duplex } from 'node:stream';
import type { Fields } from './field.ts';
import { FrameWriter } from './frame-writer.ts';
import { FIRST_WINDOW_BYTES, Flag, FRAME_BYTES, FrameType, MAX_WINDOW_BYTES } from './frames.ts';
import { HpackEncoder } from './hpack/encoder.ts';

/** Data is taken from the streams until so much of it waits for one write. Bytes. */
const WRITE_BYTES = 64 * 1024;

/** A stream that has data to send. */
export interface Sender {
  /** Stands in line. */
  isReady: boolean;
  readonly hasUnsent: boolean;
  /** Sends one frame of its data, of so much at most. Returns how much that was: nothing where its own window is used up. Bytes. */
  sendSome(most: number): number;
}

/** What goes out on a connection: frames as they are written, and the data of streams, a frame each in turns, as the other end takes it. */
export class Outgoing {
  readonly writer = new FrameWriter();
  readonly encoder = new HpackEncoder();
  readonly #socket: Duplex;
  readonly #flushed: () => void;
  /** In the order of their turns: as many as there are streams at most. */
  readonly #ready: Sender[] = [];
  /** What all streams together may send. Bytes. */
  #credit = FIRST_WINDOW_BYTES;
  #isScheduled = false;
  #isHeld = false;
  #isOver = false;

  /** `flushed` is called after what was written in one turn has gone to the socket. */
  constructor(socket: Duplex, flushed: () => void) {
    this.#socket = socket;
    this.#flushed = flushed;
    socket.on('drain', () => {
      this.#isHeld = false;
      this.#flush();
    });
  }

  /** The socket has enough: the other end does not read as fast as it is written to. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** What was written, and is not gone. Bytes. */
  get unreadBytes(): number {
    return this.#socket.writableLength + this.writer.size;
  }

  writeFields(stream: number, fields: Fields, isEnd: boolean): void {
    const block = this.encoder.encode(fields);
    let type: number = FrameType.headers;
    let flags: number = isEnd ? Flag.endStream : 0;
    let at = 0;
    do {
      const piece = block.subarray(at, at + FRAME_BYTES);
      at += piece.length;
      if (at === block.length) flags |= Flag.endHeaders;
      this.writer.frame(type, flags, stream, piece, true);
      type = FrameType.continuation;
      flags = 0;
    } while (at < block.length);
    this.kick();
  }

  /** A stream has data to send. */
  ready(stream: Sender): void {
    if (!stream.isReady) this.#stand(stream);
    this.kick();
  }

  /** It has none any more. */
  leaves(stream: Sender): void {
    if (!stream.isReady) return;
    stream.isReady = false;
    this.#ready.splice(this.#ready.indexOf(stream), 1);
  }

  /** Streams that have data to send, as far as is known. */
  get waiting(): number {
    return this.#ready.length;
  }

  /** The other end takes so much more. Returns false where that is more than it may be. */
  receivedCredit(bytes: number): boolean {
    this.#credit += bytes;
    if (this.#ready.length > 0) this.kick();
    return this.#credit <= MAX_WINDOW_BYTES;
  }

  /** What is written in one turn leaves in one write. */
  kick(): void {
    if (this.#isScheduled || this.#isOver) return;
    this.#isScheduled = true;
    process.nextTick(this.#flush);
  }

  /** Writes what has been said, no data, and nothing any more. */
  close(): void {
    this.#write();
    this.#isOver = true;
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    if (this.#isOver) return;
    do {
      if (!this.#isHeld) this.#gather();
      this.#write();
    } while (!this.#isHeld && this.#ready.length > 0 && this.#credit > 0);
    this.#flushed();
  };

  #gather(): void {
    while (this.#credit > 0 && this.writer.size < WRITE_BYTES) {
      const stream = this.#ready.shift();
      if (!stream) return;
      stream.isReady = false;
      const size = stream.sendSome(this.#credit);
      this.#credit -= size;
      if (size > 0 && stream.hasUnsent && !stream.isReady) this.#stand(stream);
    }
  }

  /** Behind all others. */
  #stand(stream: Sender): void {
    stream.isReady = true;
    this.#ready.push(stream);
  }

  #write(): void {
    const pieces = this.writer.take();
    if (pieces.length === 0 || this.#socket.destroyed || this.#socket.writableEnded) return;
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) if (!this.#socket.write(piece)) this.#isHeld = true;
    if (pieces.length > 1) this.#socket.uncork();
  }
}
