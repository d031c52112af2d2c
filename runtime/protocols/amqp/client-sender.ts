import type { Address, HubContext } from './address.ts';
import type { IncomingLink, IncomingUser } from './endpoint/incoming-link.ts';
import { MAX_SECTIONS_BYTES } from './limits.ts';
import { Message, type Origin } from './message.ts';
import { AmqpError } from './wire/amqp-error.ts';
import { type Outcome, rejected } from './wire/delivery-state.ts';
import { recipient } from './wire/message-sections.ts';

/** The address that a message names. Throws an `AmqpError` where it may not be sent there. */
export type FindAddress = (name: string) => Address;

/** A client that sends: to one address, or to the one that each message names. */
export class ClientSender implements IncomingUser, Origin {
  readonly #link: IncomingLink;
  readonly #context: HubContext;
  readonly #address: Address | undefined;
  readonly #find: FindAddress;
  /** The message that is arriving. */
  #message: Message | undefined;
  /** The start of a message that has not named its address yet. */
  #start: Buffer[] = [];
  #isSent = false;

  /** @param address None: every message names its own. */
  constructor(link: IncomingLink, context: HubContext, address: Address | undefined, find: FindAddress) {
    this.#link = link;
    this.#context = context;
    this.#address = address;
    this.#find = find;
  }

  /** Takes the link. */
  open(): void {
    this.#link.user = this;
    this.#link.accept();
    if (this.#address) this.#address.addSender(this);
    else this.#link.grant(true);
  }

  /** Lets the client send, or stops it, as there are receivers or not. */
  grant(isGranting: boolean): void {
    this.#link.grant(isGranting);
  }

  begin(id: number, format: number, isSettled: boolean): void {
    // What nobody wants to hear about is not sent again either.
    this.#message = new Message(this, id, format, isSettled, isSettled ? undefined : this.#context.kept);
    this.#isSent = false;
  }

  part(bytes: Buffer, isLast: boolean): void {
    const message = this.#message;
    if (!message) return;
    message.append(bytes, isLast);
    if (isLast) this.#message = undefined;
    if (this.#isSent) return;
    if (this.#address) {
      this.#isSent = true;
      this.#address.send(message);
    } else this.#sendToNamed(message, bytes, isLast);
  }

  aborted(): void {
    const message = this.#message;
    this.#message = undefined;
    this.#start = [];
    if (!message) return;
    message.abort();
    if (!this.#isSent) this.#link.settle(message.id, true, ABORTED);
  }

  closed(): void {
    this.aborted();
    this.#address?.removeSender(this);
  }

  passed(bytes: number): void {
    this.#link.passed(bytes);
  }

  settled(message: Message, outcome: Outcome): void {
    // One that was aborted has no outcome that the client waits for.
    this.#link.settle(message.id, message.isSettled || message.isAborted, outcome);
  }

  /** Whether the client is there to hear of outcomes. */
  get isThere(): boolean {
    return this.#link.isOpen;
  }

  #sendToNamed(message: Message, bytes: Buffer, isLast: boolean): void {
    try {
      this.#start.push(bytes);
      const start = Buffer.concat(this.#start);
      const name = message.format === 0 ? recipient(start, isLast) : null;
      if (name === undefined && start.length < MAX_SECTIONS_BYTES) return;
      if (!name) throw new AmqpError('amqp:precondition-failed', 'The message has no address in its properties (to).');
      const address = this.#find(name);
      if (!address.hasReceivers) throw new AmqpError('amqp:not-found', `Nobody receives from ${name}.`);
      this.#start = [];
      this.#isSent = true;
      address.send(message);
    } catch (error) {
      if (!(error instanceof AmqpError)) throw error;
      this.#start = [];
      this.#isSent = true;
      message.discard();
      this.settled(message, rejected(error.condition, error.message));
    }
  }
}

const ABORTED = rejected('amqp:illegal-state', 'The message was aborted.');
