import type { AnycastAddress, Destination } from './anycast.ts';
import { Backlog } from './backlog.ts';
import type { OutgoingLink, OutgoingUser } from './endpoint/outgoing-link.ts';
import { RECEIVER_BACKLOG_BYTES } from './limits.ts';
import type { Message } from './message.ts';
import { ACCEPTED, FAILED, type Outcome, RELEASED } from './wire/delivery-state.ts';

let receivers = 0;

/** A client that receives from an anycast address. */
export class ClientReceiver implements Destination, OutgoingUser {
  readonly key = `receiver ${++receivers}`;
  readonly cost = 0;
  readonly targets = 1;
  readonly #link: OutgoingLink;
  readonly #address: AnycastAddress;
  readonly #backlog: Backlog;
  #drain: NodeJS.Timeout | undefined;

  constructor(link: OutgoingLink, address: AnycastAddress) {
    this.#link = link;
    this.#address = address;
    this.#backlog = new Backlog(RECEIVER_BACKLOG_BYTES, () => address.dispatchSoon());
    link.user = this;
    link.accept();
  }

  get credit(): number {
    return this.#link.credit;
  }

  get isReady(): boolean {
    return this.credit > 0 && !this.#backlog.isFull;
  }

  give(message: Message): void {
    message.place(this.#backlog);
    this.#link.send(message);
  }

  credited(): void {
    this.#address.dispatch();
  }

  draining(): void {
    if (!this.#drain) this.#address.draining(this);
  }

  drained(): void {
    clearTimeout(this.#drain);
    this.#drain = undefined;
    this.#link.drained();
    this.#address.dispatch();
  }

  /** The client waits so long for a message that is on its way. Milliseconds. */
  drainedAfter(ms: number): void {
    this.#drain ??= setTimeout(() => this.drained(), ms);
  }

  handedOver(message: Message): void {
    this.#address.done(this, message, ACCEPTED);
  }

  outcome(message: Message, outcome: Outcome): void {
    this.#address.done(this, message, outcome);
  }

  aborted(message: Message): void {
    this.#address.done(this, message, RELEASED);
  }

  stalled(message: Message): void {
    this.#address.done(this, message, FAILED);
  }

  closed(unsent: Message[], unsettled: Message[]): void {
    clearTimeout(this.#drain);
    // Each goes before those that wait: the last one first.
    for (const message of unsent.reverse()) this.#address.givenBack(this, message, false);
    for (const message of unsettled.reverse()) this.#address.givenBack(this, message, true);
    this.#address.receiverClosed(this);
  }
}
