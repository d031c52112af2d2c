import { HubProtocolError } from './hub-frames.ts';
import { HUB_WINDOW_BYTES, MAX_HUB_FRAME_BYTES, MESSAGE_WINDOW_BYTES, PART_OVERHEAD_BYTES } from './limits.ts';
import type { Message } from './message.ts';

// Both ends of a stream's window: what may be on its way, and wait at the other hub, without a receiver. What has one waits in that one's
// backlog, and counts here no more: so a receiver that takes nothing holds up only what was given to it.

/** The end of the hub that sends. */
export class OutgoingWindow {
  #room = HUB_WINDOW_BYTES;
  /** Number → bytes, of messages in several parts that have no receiver yet. */
  readonly #unplaced = new Map<number, number>();

  /** Whether a part of this message may be sent. Of one that has its receiver the message's own window is the limit. */
  isOpenFor(number: number, isFirst: boolean): boolean {
    return this.#room > 0 || !(isFirst || this.#unplaced.has(number));
  }

  get hasRoom(): boolean {
    return this.#room > 0;
  }

  sent(number: number, bytes: number, isFirst: boolean, isLast: boolean): void {
    const before = isFirst ? 0 : this.#unplaced.get(number);
    if (before === undefined) return;
    const cost = bytes + PART_OVERHEAD_BYTES;
    this.#room -= cost;
    if (!(isFirst && isLast)) this.#unplaced.set(number, before + cost);
  }

  /** Messages of one part each have their receivers, or need none any more. */
  freed(bytes: number): void {
    this.#room = Math.min(this.#room + bytes, HUB_WINDOW_BYTES);
  }

  /** The same of a message in several parts. */
  placed(number: number): void {
    this.freed(this.#unplaced.get(number) ?? 0);
    this.#unplaced.delete(number);
  }
}

/** The end of the hub that receives. */
export class IncomingWindow {
  #used = 0;
  #freed = 0;
  readonly #unplaced = new Map<Message, number>();

  /**
   * A part of a message has come.
   *
   * @throws {HubProtocolError} Where the other hub sent more than it may.
   */
  arrived(message: Message, bytes: number, isFirst: boolean, isLast: boolean): void {
    const before = isFirst ? 0 : this.#unplaced.get(message);
    if (before !== undefined) {
      const cost = bytes + PART_OVERHEAD_BYTES;
      this.#used += cost;
      if (!(isFirst && isLast)) this.#unplaced.set(message, before + cost);
    }
    // The part that goes beyond it may be sent while there is any room.
    const isTooMuch =
      this.#used > HUB_WINDOW_BYTES + MAX_HUB_FRAME_BYTES || message.waiting + bytes > MESSAGE_WINDOW_BYTES + MAX_HUB_FRAME_BYTES;
    if (isTooMuch) throw new HubProtocolError('the other hub sends ahead of what is taken');
  }

  /** A message has its receiver, or needs none. @returns Whether the other hub waits to hear that by the message's number. */
  placed(message: Message): boolean {
    const inParts = this.#unplaced.get(message);
    const cost = inParts ?? message.size + PART_OVERHEAD_BYTES;
    this.#used -= cost;
    if (inParts === undefined) this.#freed += cost;
    else this.#unplaced.delete(message);
    return inParts !== undefined;
  }

  /** The bytes of messages of one part that are free again, once that is worth a frame; else 0. */
  takeFreed(): number {
    if (this.#freed < HUB_WINDOW_BYTES / 4) return 0;
    const freed = this.#freed;
    this.#freed = 0;
    return freed;
  }
}
