import { MESSAGE_STALL_MS } from '../limits.ts';
import type { Message } from '../message.ts';
import type { AmqpError } from '../wire/amqp-error.ts';
import type { Outcome } from '../wire/delivery-state.ts';
import { type Flow, SETTLE } from '../wire/performatives.ts';
import { Link } from './link.ts';

/** Knows what becomes of the messages of a link. */
export interface OutgoingUser {
  /** The peer takes more messages, or fewer. */
  credited(): void;
  /** The peer wants its credit used now, or else gone: `drained` says that nothing is left to use it. */
  draining(): void;
  /** All of a message is on its way, and no outcome will come. */
  handedOver(message: Message): void;
  outcome(message: Message, outcome: Outcome): void;
  /** Whoever sent it gave it up before it was whole. */
  aborted(message: Message): void;
  /** It held up others while nothing more of it came, and was given up. */
  stalled(message: Message): void;
  /**
   * The link is over.
   *
   * @param unsent What had not begun.
   * @param unsettled What the peer may have seen.
   */
  closed(unsent: Message[], unsettled: Message[], error: AmqpError | undefined): void;
}

/** A message on its way over a link. */
export interface OutgoingDelivery {
  link: OutgoingLink;
  message: Message;
  id: number;
  isSettled: boolean;
}

/** A link whose peer receives. */
export class OutgoingLink extends Link {
  readonly isReceiver = false;
  user: OutgoingUser | undefined;
  /** Messages that the peer takes, without those that wait here. */
  #credit = 0;
  #deliveryCount = 0;
  #isDraining = false;
  /** The first one is on its way where there is a `#current`. */
  readonly #queue: Message[] = [];
  #current: OutgoingDelivery | undefined;
  /** What is left of the part that did not fit into a frame. */
  #rest: Buffer | undefined;
  #isPumping = false;
  #stall: NodeJS.Timeout | undefined;
  /** How long a message of which nothing more comes may hold up others. Milliseconds. */
  stallMs = MESSAGE_STALL_MS;
  readonly #more = () => this.pump();

  /** How many messages may be sent. */
  get credit(): number {
    return this.isOpen ? this.#credit - this.#queue.length + (this.#current ? 1 : 0) : 0;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Sends a message, for which there must be credit, behind those that were sent before. */
  send(message: Message): void {
    this.#queue.push(message);
    this.pump();
  }

  /** Nothing is left that could use the credit (section 2.6.7 of AMQP 1.0). */
  drained(): void {
    if (!this.#isDraining || this.#queue.length > 0) return;
    this.#isDraining = false;
    this.#deliveryCount = (this.#deliveryCount + this.#credit) >>> 0;
    this.#credit = 0;
    this.session.writeFlow({ handle: this.handle, deliveryCount: this.#deliveryCount, credit: 0, drain: true });
  }

  flowed({ deliveryCount, linkCredit, drain, echo }: Flow): void {
    if (linkCredit !== undefined) this.#credit = Math.max(0, ((deliveryCount ?? 0) + linkCredit - this.#deliveryCount) | 0);
    this.#isDraining = drain;
    if (echo)
      this.session.writeFlow({ handle: this.handle, deliveryCount: this.#deliveryCount, credit: this.#credit, drain: false });
    this.pump();
    if (this.isOpen) this.user?.credited();
    if (this.isOpen && this.#isDraining) this.user?.draining();
  }

  settled(delivery: OutgoingDelivery, outcome: Outcome): void {
    // An outcome before all was sent: the rest is not sent any more.
    if (this.#current === delivery) {
      this.session.abort(this.handle, delivery);
      this.#next();
    }
    this.user?.outcome(delivery.message, outcome);
    this.pump();
  }

  /** Sends what the peer's windows and the socket take. */
  pump(): void {
    // Who is told that a message is out may send the next one.
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.isOpen && this.#sendNext());
    this.#isPumping = false;
    if (this.#queue.length === 0 && this.#isDraining && this.isOpen) this.user?.draining();
  }

  /** Sends one frame. False where there is nothing to send, or it has to wait. */
  #sendNext(): boolean {
    const message = this.#queue[0];
    if (!message) return false;
    message.onMore = this.#more;
    if (message.isAborted) {
      if (this.#current) this.session.abort(this.handle, this.#current);
      this.#next();
      this.user?.aborted(message);
      return true;
    }
    if (!this.#current && this.#credit === 0) return false;
    if (!this.session.isWritable) {
      this.session.blocked(this);
      return false;
    }
    const bytes = this.#rest ?? message.take();
    if (!bytes) return this.#stalls(message);
    clearTimeout(this.#stall);
    this.#stall = undefined;
    const isFirst = !this.#current;
    const delivery = (this.#current ??= this.#begin(message));
    const { maxPayload } = this.session;
    this.#rest = bytes.length > maxPayload ? bytes.subarray(maxPayload) : undefined;
    const more = this.#rest !== undefined || !message.isTaken;
    const payload = this.#rest ? bytes.subarray(0, maxPayload) : bytes;
    this.session.transfer(this.handle, delivery, payload, { isFirst, more });
    if (more) return true;
    this.#next();
    if (delivery.isSettled) this.user?.handedOver(message);
    return true;
  }

  protected closed(error: AmqpError | undefined): void {
    clearTimeout(this.#stall);
    const unsettled = this.session.forget(this);
    // One that is on its way with an outcome still to come is among them already.
    const unsent = this.#current ? this.#queue.slice(1) : this.#queue.slice();
    if (this.#current?.isSettled) unsettled.push(this.#current.message);
    this.#queue.length = 0;
    this.#current = undefined;
    for (const message of [...unsent, ...unsettled]) message.onMore = undefined;
    this.user?.closed(unsent, unsettled, error);
  }

  /** A message of which nothing comes does not hold up those behind it for ever. */
  #stalls(message: Message): false {
    if (this.#queue.length > 1)
      this.#stall ??= setTimeout(() => {
        this.#stall = undefined;
        if (this.#queue[0] !== message) return;
        if (this.#current) this.session.abort(this.handle, this.#current);
        this.#next();
        this.user?.stalled(message);
        this.pump();
      }, this.stallMs).unref();
    return false;
  }

  #begin(message: Message): OutgoingDelivery {
    this.#credit--;
    this.#deliveryCount = (this.#deliveryCount + 1) >>> 0;
    const isSettled = message.isSettled ? this.senderSettles !== SETTLE.unsettled : this.senderSettles === SETTLE.settled;
    return this.session.beginDelivery(this, message, isSettled);
  }

  #next(): void {
    const message = this.#queue.shift();
    if (message) message.onMore = undefined;
    this.#current = undefined;
    this.#rest = undefined;
  }
}
