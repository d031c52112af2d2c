import type { Log } from '../../log.ts';
import { counted } from '../../words.ts';
import type { HubContext } from './address.ts';
import type { OutgoingLink, OutgoingUser } from './endpoint/outgoing-link.ts';
import { SUBSCRIBER_QUEUE_BYTES, SUBSCRIBER_QUEUE_MESSAGES } from './limits.ts';
import { Message, type Origin } from './message.ts';
import type { MulticastAddress, Outlet } from './multicast.ts';

/**
 * A client that receives from a multicast address. It has a queue of its own, and senders wait while that is full: they are as fast as
 * the slowest subscriber. One that takes next to nothing is waited for no longer, and misses messages until half of its queue is empty.
 */
export class Subscriber implements Outlet, OutgoingUser, Origin {
  readonly #link: OutgoingLink;
  readonly #address: MulticastAddress;
  readonly #log: Log;
  readonly #patienceMs: number;
  readonly #queue: Message[] = [];
  /** Messages and bytes that the client has not taken. */
  #messages = 0;
  #bytes = 0;
  /** Messages that it has taken since its queue was full. */
  #taken = 0;
  #patience: NodeJS.Timeout | undefined;
  #isLagging = false;
  #missed = 0;
  #isClosed = false;

  constructor(link: OutgoingLink, address: MulticastAddress, { log, subscriberPatienceMs }: HubContext) {
    this.#link = link;
    this.#address = address;
    this.#log = log;
    this.#patienceMs = subscriberPatienceMs;
    link.user = this;
    link.accept();
  }

  get isFull(): boolean {
    if (this.#isLagging) return false;
    const isFull = this.#messages >= SUBSCRIBER_QUEUE_MESSAGES || this.#bytes >= SUBSCRIBER_QUEUE_BYTES;
    if (isFull && !this.#patience) {
      this.#taken = 0;
      this.#patience = setTimeout(() => this.#losePatience(), this.#patienceMs).unref();
    }
    return isFull;
  }

  begin(source: Message): Message | undefined {
    if (this.#isLagging) {
      this.#missed++;
      return undefined;
    }
    const copy = new Message(this, source.id, source.format, true);
    this.#messages++;
    this.#queue.push(copy);
    return copy;
  }

  append(copy: Message, part: Buffer, isLast: boolean): void {
    // One that lags in the middle of a message gets no half of it.
    if (this.#isLagging && !isLast) return copy.abort();
    this.#bytes += part.length;
    copy.append(part, isLast);
    this.#send();
  }

  passed(bytes: number): void {
    this.#bytes -= bytes;
    this.#took();
  }

  settled(): void {
    // Nobody waits for the outcome of a copy.
  }

  credited(): void {
    this.#send();
  }

  draining(): void {
    this.#send();
    this.#link.drained();
  }

  handedOver(): void {
    this.#messages--;
    this.#taken++;
    this.#took();
    this.#send();
  }

  outcome(): void {
    this.handedOver();
  }

  aborted(): void {
    this.handedOver();
  }

  stalled(copy: Message): void {
    copy.discard();
    this.handedOver();
  }

  closed(): void {
    this.#isClosed = true;
    clearTimeout(this.#patience);
    this.#address.unsubscribed(this);
  }

  #send(): void {
    while (this.#queue.length > 0 && this.#link.credit > 0) this.#link.send(this.#queue.shift()!);
  }

  #took(): void {
    if (this.#isClosed) return;
    if (this.#messages <= SUBSCRIBER_QUEUE_MESSAGES / 2 && this.#bytes <= SUBSCRIBER_QUEUE_BYTES / 2) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
      if (this.#isLagging) {
        this.#isLagging = false;
        this.#log.warn('a slow subscriber has caught up', {
          address: this.#address.name,
          link: this.#link.name,
          missed: counted(this.#missed, 'message'),
        });
        this.#missed = 0;
      }
    }
    this.#address.flowSoon();
  }

  #losePatience(): void {
    this.#patience = undefined;
    if (this.#taken >= SUBSCRIBER_QUEUE_MESSAGES / 2) return this.#address.flowSoon();
    this.#isLagging = true;
    this.#log.warn('a subscriber takes no messages, and misses further ones until it does', {
      address: this.#address.name,
      link: this.#link.name,
    });
    this.#address.flowSoon();
  }
}
