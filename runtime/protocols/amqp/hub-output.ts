import type { Writable } from 'node:stream';
import { ABORT, HELLO, HUB_PROTOCOL, MESSAGE, MORE, PART, SETTLED, writeHubFrame } from './hub-frames.ts';
import { SOCKET_HIGH_WATER_BYTES } from './limits.ts';
import type { Message } from './message.ts';
import { Encoder } from './wire/encoder.ts';

/** What a hub writes to another: frames, gathered for as long as the current turn of the event loop, and messages as they come. */
export class HubOutput {
  readonly #stream: Writable;
  readonly #encoder = new Encoder();
  /** Number → message: what is on its way, and waits for its next part or for the stream. */
  readonly #begun = new Map<number, Message>();
  readonly #blocked = new Map<number, Message>();
  #isFlushing = false;
  #isEnding = false;
  readonly #before: () => void;
  readonly #written: (number: number, message: Message, wasBegun: boolean) => void;
  #wasBusy = false;
  /** The stream has room again. */
  onRoom: (() => void) | undefined;

  /**
   * @param written Is told when all of a message was written, or it was aborted; and whether the other hub knows of it.
   * @param before May write what it has gathered itself, before each flush.
   */
  constructor(
    stream: Writable,
    written: (number: number, message: Message, wasBegun: boolean) => void,
    before: () => void = () => {},
  ) {
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

  /** The first frame of a stream. @param generation Streams of one hub for one address are read in this order. */
  hello(router: string, generation: number): void {
    const name = Buffer.from(router);
    this.#encoder.uint32(1 + 8 + name.length);
    this.#encoder.byte(HELLO);
    this.#encoder.uint32(HUB_PROTOCOL);
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

  /** Sends a message under this number, part by part as it comes. */
  message(number: number, message: Message): void {
    message.onMore = () => this.#pump(number, message);
    this.#pump(number, message);
  }

  /** Stops sending a message; the other hub is told where it has some of it. @returns Whether it has. */
  stop(number: number, message: Message): boolean {
    message.onMore = undefined;
    this.#blocked.delete(number);
    const wasBegun = this.#begun.delete(number);
    if (wasBegun) this.frame(ABORT, number);
    return wasBegun;
  }

  /** Nothing more is sent; returns the messages that were on their way. */
  close(): Message[] {
    const messages = [...new Set([...this.#begun.values(), ...this.#blocked.values()])];
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
      if (this.isBusy) return void this.#blocked.set(number, message);
      const part = message.take();
      if (!part) return;
      this.#write(number, message, part);
      if (!message.isTaken) continue;
      message.onMore = undefined;
      this.#begun.delete(number);
      return this.#written(number, message, true);
    }
  }

  #write(number: number, message: Message, part: Buffer): void {
    const isFirst = !this.#begun.has(number);
    const more = message.isTaken ? 0 : MORE;
    if (isFirst && more) this.#begun.set(number, message);
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
