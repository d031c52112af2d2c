import { GatheredBytes } from '../http/gathered-bytes.ts';
import type { Field } from './field.ts';
import { ConnectionError, ErrorCode, Flag, FrameType, unpadded } from './frames.ts';
import { type FieldLimits, HpackDecoder } from './hpack/decoder.ts';

/** CONTINUATION frames of one block: what nghttp2 allows (CVE-2024-27316). */
const MAX_CONTINUATIONS = 8;
/** What a priority takes in a frame of fields. It is read over (RFC 9113, section 5.3.2). */
const PRIORITY_BYTES = 5;

/** Takes the fields of one message, or of its end; undefined where they are more than the limits. */
export type TakeFields = (stream: number, fields: Field[] | undefined, ended: boolean) => void;

/** Puts blocks of fields together that come in several frames, and reads them. */
export class FieldBlocks {
  readonly #limits: FieldLimits;
  readonly #take: TakeFields;
  readonly #decoder = new HpackDecoder();
  /** One that goes on. */
  #open: { stream: number; ended: boolean; frames: number; bytes: GatheredBytes } | undefined;

  constructor(limits: FieldLimits, take: TakeFields) {
    this.#limits = limits;
    this.#take = take;
  }

  /** Throws a `ConnectionError` where a frame may not come now: nothing comes between those of a block (RFC 9113, section 6.10). */
  check(type: number, stream: number): void {
    const isRight = this.#open
      ? type === FrameType.continuation && stream === this.#open.stream
      : type !== FrameType.continuation;
    if (!isRight) throw new ConnectionError(ErrorCode.protocol, 'a block of fields is broken off, or goes on that has not begun');
  }

  /** HEADERS. */
  begin(flags: number, stream: number, payload: Buffer): void {
    const block = unpadded(flags, payload, flags & Flag.priority ? PRIORITY_BYTES : 0);
    const ended = (flags & Flag.endStream) !== 0;
    if (flags & Flag.endHeaders) return this.#read(stream, ended, block);
    const bytes = new GatheredBytes();
    bytes.add(block);
    this.#open = { stream, ended, frames: 0, bytes };
    return undefined;
  }

  /** CONTINUATION. */
  goOn(flags: number, payload: Buffer): void {
    const open = this.#open!;
    if (++open.frames > MAX_CONTINUATIONS) throw new ConnectionError(ErrorCode.enhanceYourCalm, 'a block of fields does not end');
    open.bytes.add(payload);
    if ((flags & Flag.endHeaders) === 0) return;
    this.#open = undefined;
    this.#read(open.stream, open.ended, open.bytes.bytes);
  }

  /** Whatever becomes of them, they are read: the tables of both ends must stay the same. */
  #read(stream: number, ended: boolean, block: Buffer): void {
    this.#take(stream, this.#decoder.decode(block, this.#limits), ended);
  }
}
