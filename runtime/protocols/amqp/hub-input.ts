import type { Readable } from 'node:stream';
import {
  ABORT,
  HELLO,
  HUB_PROTOCOL,
  HubFrameReader,
  HubProtocolError,
  MESSAGE,
  MORE,
  numberAt,
  PART,
  SETTLED,
} from './hub-frames.ts';
import { HUB_STREAM_MAX_BYTES, MULTICAST_WINDOW_BYTES } from './limits.ts';
import { Message, type Origin } from './message.ts';

/** What a part costs besides its bytes, so that many small ones count as well. Bytes. */
const PART_OVERHEAD_BYTES = 512;

export interface HubInputUser {
  /** A message with its first part. */
  message(message: Message): void;
  /** A frame that is none of a message. */
  frame(type: number, body: Buffer): void;
  /** It said who it is. */
  hello?(router: string, generation: number): void;
  /** Nothing more comes. Messages that had not come whole were aborted. */
  closed(): void;
}

/** The messages of another hub, read from its stream. */
export class HubInput {
  readonly #stream: Readable;
  readonly #origin: Origin;
  readonly #user: HubInputUser;
  readonly #isSequence: boolean;
  /** Those of which more is to come. */
  readonly #messages = new Map<number, Message>();
  #held = 0;
  #isGreeted = false;

  /** @param isSequence One message follows another: the stream may wait until they are taken. Else each has a window of its own. */
  constructor(stream: Readable, origin: Origin, user: HubInputUser, { isSequence }: { isSequence: boolean }) {
    this.#isSequence = isSequence;
    this.#stream = stream;
    this.#origin = origin;
    this.#user = user;
    const reader = new HubFrameReader((type, body) => this.#frame(type, body));
    stream.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch (error) {
        if (!(error instanceof HubProtocolError)) throw error;
        stream.destroy(error);
      }
    });
    stream.on('error', () => {});
    stream.on('end', () => stream.destroy());
    stream.on('close', () => {
      for (const message of this.#messages.values()) message.abort();
      this.#messages.clear();
      user.closed();
    });
  }

  /** So many bytes were passed on. */
  passed(bytes: number): void {
    this.#held -= bytes + PART_OVERHEAD_BYTES;
    if (this.#held < MULTICAST_WINDOW_BYTES / 2 && this.#stream.isPaused()) this.#stream.resume();
  }

  /** Whether more of this message is to come. */
  expects(message: Message): boolean {
    return this.#messages.get(message.id) === message;
  }

  /** What still comes of this message is for nobody. */
  forget(message: Message): void {
    if (this.expects(message)) this.#messages.delete(message.id);
  }

  #frame(type: number, body: Buffer): void {
    if (!this.#isGreeted) {
      if (type !== HELLO || numberAt(body, 0) !== HUB_PROTOCOL)
        throw new HubProtocolError('the other hub speaks another version');
      this.#isGreeted = true;
      this.#user.hello?.(body.toString('utf8', 8), numberAt(body, 4));
      return;
    }
    switch (type) {
      case MESSAGE: {
        if (body.length < 9) throw new HubProtocolError('a message is cut off');
        const number = body.readUInt32BE(0);
        const flags = body[4]!;
        const message = new Message(this.#origin, number, body.readUInt32BE(5), (flags & SETTLED) !== 0);
        if (flags & MORE) this.#messages.set(number, message);
        this.#append(message, body.subarray(9), flags);
        return this.#user.message(message);
      }
      case PART: {
        if (body.length < 5) throw new HubProtocolError('a part is cut off');
        // One that was given back or has its outcome may still come.
        const message = this.#messages.get(body.readUInt32BE(0));
        if (!message) return;
        const flags = body[4]!;
        if (!(flags & MORE)) this.#messages.delete(message.id);
        return this.#append(message, body.subarray(5), flags);
      }
      case ABORT: {
        const number = numberAt(body, 0);
        const message = this.#messages.get(number);
        this.#messages.delete(number);
        return message?.abort();
      }
      default:
        return this.#user.frame(type, body);
    }
  }

  #append(message: Message, bytes: Buffer, flags: number): void {
    this.#held += bytes.length + PART_OVERHEAD_BYTES;
    if (this.#held > HUB_STREAM_MAX_BYTES) throw new HubProtocolError('the other hub sends ahead of what is taken');
    if (this.#isSequence && this.#held > MULTICAST_WINDOW_BYTES) this.#stream.pause();
    message.append(bytes, !(flags & MORE));
  }
}
