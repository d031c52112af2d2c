import type { Backlog } from './backlog.ts';
import { MAX_KEPT_BYTES, MAX_KEPT_MESSAGE_BYTES, MESSAGE_WINDOW_BYTES, PART_OVERHEAD_BYTES } from './limits.ts';
import type { Outcome } from './wire/delivery-state.ts';
import { deliveredAgain } from './wire/message-sections.ts';

/** Where a message came from: a client, or another hub. */
export interface Origin {
  /** A part of so many bytes was passed on; as many more may come. */
  passed(bytes: number, message: Message): void;
  /** It has its receiver, in whose backlog it waits, or it needs none any more. Said once. */
  placed?(message: Message): void;
  /** The message has its outcome, and its sender wants to know. */
  settled(message: Message, outcome: Outcome): void;
}

/** What a hub keeps to be able to send it again. */
export interface Kept {
  bytes: number;
}

/**
 * A message under way: its encoded bytes in parts, that one side appends and one other side takes. It is passed on while it still
 * arrives. Where it can be sent again, its parts stay until it has its outcome.
 */
export class Message {
  readonly origin: Origin;
  /** Its number at its origin. */
  readonly id: number;
  readonly format: number;
  /** Its sender does not want to know what becomes of it. */
  readonly isSettled: boolean;
  /** The key of the destination that has it. */
  destination: string | undefined;
  /** Whoever takes the parts is told that there are more, or that the message was aborted. */
  onMore: (() => void) | undefined;
  isComplete = false;
  isAborted = false;
  readonly #parts: Buffer[] = [];
  /** Of the parts that are here: those that were taken, and those of which the origin knows that they were. */
  #taken = 0;
  #passed = 0;
  #bytes = 0;
  #waiting = 0;
  /** Where it waits, and what it counts there. */
  #backlog: Backlog | undefined;
  #weight = 0;
  #isPlaced = false;
  #kept: Kept | undefined;
  #hasDropped = false;
  #isDiscarded = false;

  /** @param kept Where it may have to be sent again: what is kept for that counts here. */
  constructor(origin: Origin, id: number, format: number, isSettled: boolean, kept?: Kept) {
    this.origin = origin;
    this.id = id;
    this.format = format;
    this.isSettled = isSettled;
    this.#kept = kept;
  }

  append(part: Buffer, isLast: boolean): void {
    this.isComplete = isLast;
    this.#bytes += part.length;
    if (this.#isDiscarded) return this.origin.passed(part.length, this);
    this.#parts.push(part);
    this.#waiting += part.length;
    if (this.#backlog) this.#weigh();
    if (this.#kept) {
      this.#kept.bytes += part.length;
      if (this.#bytes > MAX_KEPT_MESSAGE_BYTES || this.#kept.bytes > MAX_KEPT_BYTES) this.forget();
    }
    this.onMore?.();
  }

  /** No more of it will come. Whoever has some of it must not take it for a message. */
  abort(): void {
    this.isAborted = true;
    this.onMore?.();
  }

  /** The next part; undefined until there is one. A message has at least one, which may be empty. */
  take(): Buffer | undefined {
    const part = this.#parts[this.#taken];
    if (!part) return undefined;
    this.#taken++;
    this.#waiting -= part.length;
    if (this.#backlog) this.#weigh();
    if (this.#taken > this.#passed) {
      this.#passed = this.#taken;
      this.origin.passed(part.length, this);
    }
    if (!this.#kept) this.#drop();
    return part;
  }

  /** What has come of it. Bytes. */
  get size(): number {
    return this.#bytes;
  }

  /** What has come of it and was not taken. Bytes. */
  get waiting(): number {
    return this.#waiting;
  }

  /** It has its receiver: what waits of it counts in that one's backlog. */
  place(backlog: Backlog): void {
    this.#moveTo(backlog);
    this.#wasPlaced();
  }

  /** Whether there is a part to take. */
  get hasMore(): boolean {
    return this.#taken < this.#parts.length;
  }

  /** Whether it came in one part. */
  get isSingle(): boolean {
    return this.isComplete && !this.#hasDropped && this.#parts.length === 1;
  }

  /** Whether all of it was taken. */
  get isTaken(): boolean {
    return this.isComplete && this.#taken === this.#parts.length;
  }

  /** Starts again from its first part. False where that is not there any more. */
  rewind(): boolean {
    this.#moveTo(undefined);
    if (this.#hasDropped) return false;
    this.#taken = 0;
    this.#waiting = this.#bytes;
    this.destination = undefined;
    this.onMore = undefined;
    return true;
  }

  /** Counts an attempt that failed, for the next receiver to see. */
  countFailure(): void {
    const first = this.#parts[0];
    if (first && this.format === 0) this.#parts[0] = deliveredAgain(first);
  }

  /** It will not be sent again. */
  forget(): void {
    if (!this.#kept) return;
    this.#kept.bytes -= this.#bytes;
    this.#kept = undefined;
    this.#drop();
  }

  /** What waits of it, and what still comes, is for nobody. */
  discard(): void {
    this.forget();
    this.#moveTo(undefined);
    this.onMore = undefined;
    this.#isDiscarded = true;
    while (this.take());
    this.#wasPlaced();
  }

  #moveTo(backlog: Backlog | undefined): void {
    this.#backlog?.change(-this.#weight);
    this.#backlog = backlog;
    this.#weight = 0;
    if (backlog) this.#weigh();
  }

  /** One that still arrives counts as what may come of it at any time. */
  #weigh(): void {
    const waiting = this.#waiting + (this.#parts.length - this.#taken) * PART_OVERHEAD_BYTES;
    const weight = this.isComplete ? waiting : Math.max(waiting, MESSAGE_WINDOW_BYTES);
    this.#backlog?.change(weight - this.#weight);
    this.#weight = weight;
  }

  #wasPlaced(): void {
    if (this.#isPlaced) return;
    this.#isPlaced = true;
    this.origin.placed?.(this);
  }

  #drop(): void {
    if (this.#taken > 0) this.#hasDropped = true;
    this.#parts.splice(0, this.#taken);
    this.#passed -= this.#taken;
    this.#taken = 0;
  }
}
