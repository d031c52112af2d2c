import { SENDER_WINDOW } from '../limits.ts';
import { AmqpError } from '../wire/amqp-error.ts';
import type { Outcome } from '../wire/delivery-state.ts';
import type { Attach, Transfer } from '../wire/performatives.ts';
import { Link } from './link.ts';
import type { Session } from './session.ts';

/** Takes what a link brings. */
export interface IncomingUser {
  /** A message begins. */
  begin(id: number, format: number, isSettled: boolean): void;
  /** Its next bytes, which are `passed` back when they were passed on. */
  part(bytes: Buffer, isLast: boolean): void;
  /** The peer gave up in the middle of a message. */
  aborted(): void;
  closed(): void;
}

/** A link whose peer sends. It has a window of messages: its credit is the window less what has no outcome yet. */
export class IncomingLink extends Link {
  readonly isReceiver = true;
  user: IncomingUser | undefined;
  /** Whether the peer has credit at all. */
  #isGranting = false;
  #credit = 0;
  /** What was taken back and may have been used already. */
  #revoked = 0;
  #outstanding = 0;
  #deliveryCount: number;
  #isInDelivery = false;

  constructor(session: Session, handle: number, attach: Attach) {
    super(session, handle, attach, false);
    this.#deliveryCount = attach.initialDeliveryCount;
  }

  /** Lets the peer send, or takes back what it has not used. */
  grant(isGranting: boolean): void {
    if (isGranting === this.#isGranting) return;
    this.#isGranting = isGranting;
    if (!isGranting) {
      this.#revoked = this.#credit;
      this.#credit = 0;
    }
    this.session.wantsFlow(this);
  }

  /** The peer's message has an outcome, or needs none any more. */
  settle(id: number, isSettled: boolean, outcome: Outcome): void {
    this.#outstanding--;
    if (!this.isOpen) return;
    if (!isSettled) this.session.settle(this.isReceiver, id, outcome);
    const missing = this.#missing();
    if (missing > 0 && (missing >= SENDER_WINDOW / 4 || this.#credit === 0)) this.session.wantsFlow(this);
  }

  passed(bytes: number): void {
    this.session.passed(bytes);
  }

  /** What the peer is told when the turn ends: its credit, and from where that counts. */
  nextFlow(): { deliveryCount: number; credit: number } {
    const missing = this.#missing();
    if (missing > 0) this.#credit += missing;
    return { deliveryCount: this.#deliveryCount, credit: this.#credit };
  }

  transfer({ deliveryId, format, settled, more, aborted, payload }: Transfer): void {
    if (!this.isOpen) return this.session.passed(payload.length);
    if (!this.#isInDelivery) {
      if (deliveryId === undefined) throw new AmqpError('amqp:session:errant-link', 'a delivery has no number');
      if (this.#credit > 0) this.#credit--;
      else if (this.#revoked > 0) this.#revoked--;
      else {
        this.session.passed(payload.length);
        this.detach(new AmqpError('amqp:link:transfer-limit-exceeded', 'a message was sent without credit'));
        return;
      }
      this.#deliveryCount = (this.#deliveryCount + 1) >>> 0;
      this.#outstanding++;
      this.#isInDelivery = true;
      this.user?.begin(deliveryId, format, settled ?? false);
    }
    if (aborted) {
      this.#isInDelivery = false;
      this.session.passed(payload.length);
      this.user?.aborted();
      return;
    }
    if (!more) this.#isInDelivery = false;
    this.user?.part(payload, !more);
  }

  protected closed(): void {
    this.user?.closed();
  }

  #missing(): number {
    return this.#isGranting ? SENDER_WINDOW - this.#outstanding - this.#credit : 0;
  }
}
