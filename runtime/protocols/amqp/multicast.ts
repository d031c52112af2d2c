import type { Duplex, Readable } from 'node:stream';
import type { Address, HubContext } from './address.ts';
import type { ClientSender } from './client-sender.ts';
import type { OutgoingLink } from './endpoint/outgoing-link.ts';
import type { Message } from './message.ts';
import { MulticastInput } from './multicast-input.ts';
import { MulticastOutput } from './multicast-output.ts';
import { Subscriber } from './subscriber.ts';
import { ACCEPTED, RELEASED } from './wire/delivery-state.ts';

/** Takes a copy of each message: a subscriber, or the network. */
export interface Outlet {
  /** Senders wait. */
  readonly isFull: boolean;
  /** The copy that is to be filled; undefined where it wants none. */
  begin(source: Message): Message | undefined;
  append(copy: Message, part: Buffer, isLast: boolean): void;
}

/** A message that goes out: its copies, by whom they are for. */
interface Fanout {
  source: Message;
  copies: Map<Outlet, Message>;
}

/**
 * An address whose messages go to every receiver. A message is accepted when each subscriber here, and the stream to the other routers,
 * has taken all of it into its queue; nobody waits for what subscribers make of it.
 */
export class MulticastAddress implements Address {
  readonly name: string;
  readonly #context: HubContext;
  readonly #senders = new Set<ClientSender>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #output: MulticastOutput;
  readonly #inputs = new Set<MulticastInput>();
  /** In the order in which they came. */
  readonly #fanouts = new Map<Message, Fanout>();
  #hadReceivers = false;
  #isFlowing = false;
  #flowsSoon = false;

  constructor(name: string, context: HubContext) {
    this.name = name;
    this.#context = context;
    this.#output = new MulticastOutput(name, context, () => this.flowSoon());
    this.review();
  }

  get hasReceivers(): boolean {
    return this.#subscribers.size > 0 || this.#output.hasRouters;
  }

  get isUnused(): boolean {
    return this.#senders.size === 0 && this.#subscribers.size === 0 && this.#inputs.size === 0 && this.#output.isIdle;
  }

  addSender(sender: ClientSender): void {
    this.#senders.add(sender);
    sender.grant(this.hasReceivers);
  }

  removeSender(sender: ClientSender): void {
    this.#senders.delete(sender);
    this.#idle();
  }

  addReceiver(link: OutgoingLink): void {
    this.#subscribers.add(new Subscriber(link, this, this.#context.log));
    this.#subscribersChanged();
  }

  unsubscribed(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    for (const { copies } of this.#fanouts.values()) copies.delete(subscriber);
    this.#subscribersChanged();
    this.flowSoon();
    this.#idle();
  }

  send(message: Message): void {
    if (this.hasReceivers) return this.#fanOut(message, this.#output.hasRouters ? [this.#output] : []);
    message.discard();
    message.origin.settled(message, RELEASED);
  }

  /** A message of another hub: for the subscribers here. */
  arrived(message: Message): void {
    this.#fanOut(message, []);
  }

  accept(stream: Duplex | Readable): void {
    const earlier = (router: string) => [...this.#inputs].filter((input) => input.router === router);
    this.#inputs.add(new MulticastInput(stream, this, earlier));
  }

  inputClosed(input: MulticastInput): void {
    this.#inputs.delete(input);
    for (const other of this.#inputs) other.follow();
    this.#idle();
  }

  review(): void {
    this.#output.setRouters(this.#context.network.destinations(this.name).map(({ router }) => router));
    this.#receiversChanged();
  }

  close(): void {
    this.#output.close();
    for (const input of this.#inputs) input.close();
  }

  /** Goes on when the turn ends: somebody has room again. */
  flowSoon(): void {
    if (this.#flowsSoon || this.#fanouts.size === 0) return;
    this.#flowsSoon = true;
    process.nextTick(() => {
      this.#flowsSoon = false;
      this.#flowAll();
    });
  }

  #fanOut(source: Message, others: Outlet[]): void {
    const copies = new Map<Outlet, Message>();
    for (const outlet of [...this.#subscribers, ...others]) {
      const copy = outlet.begin(source);
      if (copy) copies.set(outlet, copy);
    }
    const fanout = { source, copies };
    this.#fanouts.set(source, fanout);
    source.onMore = () => this.#flow(fanout);
    this.#flow(fanout);
  }

  #flowAll(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    for (const fanout of this.#fanouts.values()) this.#flow(fanout);
    this.#isFlowing = false;
    this.#idle();
  }

  #flow({ source, copies }: Fanout): void {
    for (;;) {
      if (source.isAborted) {
        for (const copy of copies.values()) copy.abort();
        this.#fanouts.delete(source);
        source.discard();
        source.origin.settled(source, RELEASED);
        return;
      }
      for (const outlet of copies.keys()) if (outlet.isFull) return;
      const part = source.take();
      if (!part) return;
      const isLast = source.isTaken;
      for (const [outlet, copy] of copies) if (!copy.isAborted) outlet.append(copy, part, isLast);
      if (!isLast) continue;
      this.#fanouts.delete(source);
      source.forget();
      source.onMore = undefined;
      source.origin.settled(source, ACCEPTED);
      return;
    }
  }

  #subscribersChanged(): void {
    this.#context.network.serve(this.name, { distribution: 'multicast', receivers: this.#subscribers.size });
    this.#receiversChanged();
  }

  #receiversChanged(): void {
    const { hasReceivers } = this;
    if (hasReceivers === this.#hadReceivers) return;
    this.#hadReceivers = hasReceivers;
    for (const sender of this.#senders) sender.grant(hasReceivers);
  }

  #idle(): void {
    if (this.isUnused && this.#fanouts.size === 0) this.#context.unused(this);
  }
}
