import type { Readable } from 'node:stream';
import { defect } from '../../defects.ts';
import {
  ABORT,
  FIRST_HUB_PROTOCOL,
  HELLO,
  HUB_PROTOCOL,
  HubFrameReader,
  HubProtocolError,
  MESSAGE,
  MORE,
  numberAt,
  PART,
  SETTLED,
  WINDOW_SINCE_PROTOCOL,
} from './hub-frames.ts';
import { HUB_STREAM_MAX_BYTES, MULTICAST_WINDOW_BYTES, PART_OVERHEAD_BYTES } from './limits.ts';
import { Message, type Origin } from './message.ts';
import { IncomingWindow } from './stream-window.ts';

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
  #window: IncomingWindow | undefined;

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
        stream.destroy(error instanceof HubProtocolError ? error : new Error(defect(error)));
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

  /** The window of the stream; none of one that is a sequence, or of version 1. */
  get window(): IncomingWindow | undefined {
    return this.#window;
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
      const version = type === HELLO ? numberAt(body, 0) : 0;
      if (version < FIRST_HUB_PROTOCOL || version > HUB_PROTOCOL)
        throw new HubProtocolError('the other hub speaks another version');
      this.#isGreeted = true;
      if (version >= WINDOW_SINCE_PROTOCOL && !this.#isSequence) this.#window = new IncomingWindow();
      this.#user.hello?.(body.toString('utf8', 8), numberAt(body, 4));
      return;
    }
    switch (type) {
      case MESSAGE: {
        if (body.length < 9) throw new HubProtocolError('a message is cut off');
        const number = body.readUInt32BE(0);
        // Nothing would end the one that is under way: its receiver would wait for it for ever.
        if (this.#messages.has(number)) throw new HubProtocolError('a message begins that is under way');
        const flags = body[4]!;
        const message = new Message(this.#origin, number, body.readUInt32BE(5), (flags & SETTLED) !== 0);
        if (flags & MORE) this.#messages.set(number, message);
        this.#append(message, body.subarray(9), true, !(flags & MORE));
        return this.#user.message(message);
      }
      case PART: {
        if (body.length < 5) throw new HubProtocolError('a part is cut off');
        // One that was given back or has its outcome may still come.
        const message = this.#messages.get(body.readUInt32BE(0));
        if (!message) return;
        const isLast = !(body[4]! & MORE);
        if (isLast) this.#messages.delete(message.id);
        return this.#append(message, body.subarray(5), false, isLast);
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

  #append(message: Message, bytes: Buffer, isFirst: boolean, isLast: boolean): void {
    this.#held += bytes.length + PART_OVERHEAD_BYTES;
    if (this.#window) this.#window.arrived(message, bytes.length, isFirst, isLast);
    else if (this.#held > HUB_STREAM_MAX_BYTES) throw new HubProtocolError('the other hub sends ahead of what is taken');
    if (this.#isSequence && this.#held > MULTICAST_WINDOW_BYTES) this.#stream.pause();
    message.append(bytes, isLast);
  }
}
