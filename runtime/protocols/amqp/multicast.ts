import type { Duplex, Readable } from 'node:stream';
import type { Address, HubContext } from './address.ts';
import type { ClientSender } from './client-sender.ts';
import type { OutgoingLink } from './endpoint/outgoing-link.ts';
import type { Message } from './message.ts';
import { MulticastInput } from './multicast-input.ts';
import { MulticastOutput } from './multicast-output.ts';
import { Subscriber } from './subscriber.ts';
import { ACCEPTED, type Outcome, RELEASED } from './wire/delivery-state.ts';

/** Takes a copy of each message: a subscriber, or the network. */
export interface Outlet {
  /** Senders wait. */
  readonly isFull: boolean;
  /** The copy that is to be filled; undefined where it wants none. */
  begin(source: Message): Message | undefined;
  append(copy: Message, part: Buffer, isLast: boolean): void;
}

/** A message that goes out: its copies, by whom they are for, once all of these have room for it. */
interface Fanout {
  source: Message;
  toNetwork: boolean;
  copies: Map<Outlet, Message> | undefined;
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
  /** Those that have begun, and those that wait, in the order in which they came. */
  readonly #begun = new Set<Fanout>();
  readonly #waiting: Fanout[] = [];
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
    return this.#senders.size === 0 && this.#subscribers.size === 0 && this.#inputs.size === 0 && this.#begun.size === 0 && this.#waiting.length === 0 && this.#output.isIdle;
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
    this.#subscribers.add(new Subscriber(link, this, this.#context));
    this.#subscribersChanged();
  }

  unsubscribed(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    for (const { copies } of this.#begun) copies?.delete(subscriber);
    this.#subscribersChanged();
    this.flowSoon();
    this.#idle();
  }

  send(message: Message): void {
    if (this.hasReceivers) return this.#fanOut(message, true);
    message.discard();
    message.origin.settled(message, RELEASED);
  }

  /** A message of another hub: for the subscribers here. */
  arrived(message: Message): void {
    this.#fanOut(message, false);
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
    if (this.#flowsSoon || (this.#begun.size === 0 && this.#waiting.length === 0)) return;
    this.#flowsSoon = true;
    process.nextTick(() => {
      this.#flowsSoon = false;
      this.#flowAll();
    });
  }

  #fanOut(source: Message, toNetwork: boolean): void {
    const fanout: Fanout = { source, toNetwork, copies: undefined };
    this.#waiting.push(fanout);
    source.onMore = () => {
      if (fanout.copies || source.isAborted) this.#flow(fanout);
    };
    this.#beginWaiting();
  }

  #flowAll(): void {
    for (const fanout of this.#begun) this.#flow(fanout);
    this.#beginWaiting();
    this.#idle();
  }

  /** Nobody is overtaken: where one has to wait, all behind it do. */
  #beginWaiting(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    for (let fanout = this.#waiting[0]; fanout; fanout = this.#waiting[0]) {
      const outlets: Outlet[] = [...this.#subscribers];
      if (fanout.toNetwork && this.#output.hasRouters) {
        this.#output.connect();
        outlets.push(this.#output);
      }
      if (outlets.some(({ isFull }) => isFull)) break;
      this.#waiting.shift();
      fanout.copies = new Map();
      for (const outlet of outlets) {
        const copy = outlet.begin(fanout.source);
        if (copy) fanout.copies.set(outlet, copy);
      }
      this.#begun.add(fanout);
      this.#flow(fanout);
    }
    this.#isFlowing = false;
  }

  #flow(fanout: Fanout): void {
    const { source, copies = new Map<Outlet, Message>() } = fanout;
    for (;;) {
      if (source.isAborted) {
        for (const copy of copies.values()) copy.abort();
        return this.#ended(fanout, RELEASED);
      }
      for (const outlet of copies.keys()) if (outlet.isFull) return;
      const part = source.take();
      if (!part) return;
      const isLast = source.isTaken;
      for (const [outlet, copy] of copies) if (!copy.isAborted) outlet.append(copy, part, isLast);
      if (isLast) return this.#ended(fanout, ACCEPTED);
    }
  }

  #ended(fanout: Fanout, outcome: Outcome): void {
    const { source } = fanout;
    this.#begun.delete(fanout);
    const at = fanout.copies ? -1 : this.#waiting.indexOf(fanout);
    if (at >= 0) this.#waiting.splice(at, 1);
    source.discard();
    source.origin.settled(source, outcome);
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
    if (this.isUnused) this.#context.unused(this);
  }
}
