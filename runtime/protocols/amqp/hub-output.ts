import type { Writable } from 'node:stream';
import { ABORT, HELLO, MESSAGE, MORE, PART, SETTLED, WINDOW_SINCE_PROTOCOL, writeHubFrame } from './hub-frames.ts';
import { MAX_BEGUN, MESSAGE_WINDOW_BYTES, SOCKET_HIGH_WATER_BYTES } from './limits.ts';
import type { Message } from './message.ts';
import { OutgoingWindow } from './stream-window.ts';
import { Encoder } from './wire/encoder.ts';

/** What a hub writes to another: frames, gathered for as long as the current turn of the event loop, and messages as they come. */
export class HubOutput {
  readonly #stream: Writable;
  readonly #encoder = new Encoder();
  /** Number → what is on its way, and how many bytes of it the other hub still takes. */
  readonly #begun = new Map<number, { message: Message; window: number }>();
  /** Number → what waits for the stream. */
  readonly #blocked = new Map<number, Message>();
  #isFlushing = false;
  #isEnding = false;
  /** Of one message. Bytes. */
  readonly #messageWindow: number;
  /** Of the stream; none of one that is a sequence, or of version 1. */
  #window: OutgoingWindow | undefined;
  readonly #isSequence: boolean;
  #maxBegun: number;
  readonly #before: () => void;
  readonly #written: (number: number, message: Message, wasBegun: boolean) => void;
  #wasBusy = false;
  /** The stream has room again. */
  onRoom: (() => void) | undefined;

  /**
   * @param written Is told when all of a message was written, or it was aborted; and whether the other hub knows of it.
   * @param before May write what it has gathered itself, before each flush.
   * @param isSequence One message follows another, and the stream alone says how much is taken.
   */
  constructor(
    stream: Writable,
    written: (number: number, message: Message, wasBegun: boolean) => void,
    before: () => void = () => {},
    { isSequence = false } = {},
  ) {
    this.#isSequence = isSequence;
    this.#messageWindow = isSequence ? Infinity : MESSAGE_WINDOW_BYTES;
    this.#maxBegun = isSequence ? 1 : MAX_BEGUN;
    this.#stream = stream;
    this.#written = written;
    this.#before = before;
    stream.on('drain', () => this.#resume());
  }

  /** Whether the stream should have less to send before it gets more. */
  get isBusy(): boolean {
    const isBusy = this.#stream.writableLength + this.#encoder.length > SOCKET_HIGH_WATER_BYTES;
    if (isBusy) this.#wasBusy = true;
    return isBusy;
  }

  /** Whether a message would begin to go out now. A hub of version 1 says nothing of that. */
  get hasRoom(): boolean {
    if (!this.#window) return true;
    return !this.isBusy && this.#blocked.size === 0 && this.#window.hasRoom;
  }

  /** The first frame of a stream. @param generation Streams of one hub for one address are read in this order. */
  hello(version: number, router: string, generation: number): void {
    if (version >= WINDOW_SINCE_PROTOCOL && !this.#isSequence) {
      this.#window = new OutgoingWindow();
      this.#maxBegun = Infinity;
    }
    const name = Buffer.from(router);
    this.#encoder.uint32(1 + 8 + name.length);
    this.#encoder.byte(HELLO);
    this.#encoder.uint32(version);
    this.#encoder.uint32(generation);
    this.#encoder.bytes(name);
    this.flushSoon();
  }

  frame(type: number, ...numbers: number[]): void {
    writeHubFrame(this.#encoder, type, ...numbers);
    this.flushSoon();
  }

  /** A frame with a number, and bytes behind it. */
  bytes(type: number, number: number, bytes: Buffer): void {
    this.#encoder.uint32(1 + 4 + bytes.length);
    this.#encoder.byte(type);
    this.#encoder.uint32(number);
    this.#encoder.bytes(bytes);
    this.flushSoon();
  }

  /** Sends a message under this number, part by part as it comes and the other hub takes it. */
  message(number: number, message: Message): void {
    if (!message.isComplete) message.onMore = () => this.#pump(number, message);
    this.#pump(number, message);
  }

  /** The other hub took so much of a message. */
  taken(number: number, bytes: number): void {
    const begun = this.#begun.get(number);
    if (!begun) return;
    begun.window = Math.min(begun.window + bytes, MESSAGE_WINDOW_BYTES);
    this.#pump(number, begun.message);
  }

  /** So much of the stream's window is free again. */
  freed(bytes: number): void {
    this.#window?.freed(bytes);
    this.#resume();
  }

  /** The other hub has a receiver for this message. */
  placed(number: number): void {
    this.#window?.placed(number);
    this.#resume();
  }

  /** Stops sending a message; the other hub is told where it has some of it. @returns Whether it has. */
  stop(number: number, message: Message): boolean {
    message.onMore = undefined;
    if (this.#blocked.delete(number) && this.hasRoom) this.onRoom?.();
    const wasBegun = this.#end(number);
    if (wasBegun) this.frame(ABORT, number);
    return wasBegun;
  }

  /** Nothing more is sent; returns the messages that were on their way. */
  close(): Message[] {
    const messages = [...new Set([...[...this.#begun.values()].map(({ message }) => message), ...this.#blocked.values()])];
    for (const message of messages) message.onMore = undefined;
    this.#begun.clear();
    this.#blocked.clear();
    return messages;
  }

  /** Ends the stream behind what was written. */
  end(): void {
    this.#isEnding = true;
    this.flushSoon();
  }

  flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    process.nextTick(() => {
      this.#before();
      this.#isFlushing = false;
      if (this.#encoder.length > 0 && this.#stream.writable) this.#stream.write(this.#encoder.take());
      if (this.#wasBusy && !this.isBusy) this.#resume();
      if (this.#isEnding && this.#encoder.length === 0) this.#stream.end();
    });
  }

  #pump(number: number, message: Message): void {
    for (;;) {
      if (message.isAborted) {
        return this.#written(number, message, this.stop(number, message));
      }
      const begun = this.#begun.get(number);
      if (begun && begun.window <= 0) return;
      const isTooMany = !begun && this.#begun.size >= this.#maxBegun && !message.isSingle;
      if (this.isBusy || isTooMany || this.#window?.isOpenFor(number, !begun) === false)
        return void this.#blocked.set(number, message);
      const part = message.take();
      if (!part) return;
      this.#write(number, message, part);
      if (!message.isTaken) continue;
      message.onMore = undefined;
      this.#end(number);
      return this.#written(number, message, true);
    }
  }

  /** Another one may begin. */
  #end(number: number): boolean {
    const wasBegun = this.#begun.delete(number);
    if (wasBegun && this.#blocked.size > 0) this.#wasBusy = true;
    return wasBegun;
  }

  #write(number: number, message: Message, part: Buffer): void {
    let begun = this.#begun.get(number);
    const isFirst = !begun;
    const more = message.isTaken ? 0 : MORE;
    if (!begun && more) {
      begun = { message, window: this.#messageWindow };
      this.#begun.set(number, begun);
    }
    if (begun) begun.window -= part.length;
    this.#window?.sent(number, part.length, isFirst, !more);
    this.#encoder.uint32((isFirst ? 10 : 6) + part.length);
    this.#encoder.byte(isFirst ? MESSAGE : PART);
    this.#encoder.uint32(number);
    this.#encoder.byte(more | (message.isSettled ? SETTLED : 0));
    if (isFirst) this.#encoder.uint32(message.format);
    this.#encoder.bytes(part);
    this.flushSoon();
  }

  #resume(): void {
    this.#wasBusy = false;
    const waiting = [...this.#blocked];
    this.#blocked.clear();
    for (const [number, message] of waiting) this.#pump(number, message);
    if (!this.isBusy) this.onRoom?.();
  }
}
