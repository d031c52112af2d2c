import type { Duplex, Readable } from 'node:stream';
import type { Address, HubContext } from './address.ts';
import type { ClientSender } from './client-sender.ts';
import type { OutgoingLink } from './endpoint/outgoing-link.ts';
import { MULTICAST_GATHER_BYTES, MULTICAST_MEMORY_MS, MULTICAST_TAIL_MESSAGES } from './limits.ts';
import type { Message } from './message.ts';
import { MulticastInput } from './multicast-input.ts';
import { MulticastOutput } from './multicast-output.ts';
import { Subscriber } from './subscriber.ts';
import { ACCEPTED, FAILED, type Outcome, RELEASED } from './wire/delivery-state.ts';

/** Takes a copy of each message: a subscriber, or the network. */
export interface Outlet {
  /** Senders wait. */
  readonly isFull: boolean;
  /** The copy that is to be filled; undefined where it wants none. */
  begin(source: Message): Message | undefined;
  append(copy: Message, part: Buffer, isLast: boolean): void;
}

/** A message that goes out, and its copies. */
interface Fanout {
  source: Message;
  copies: Map<Outlet, Message>;
}

/** A message, and whether it goes to other routers as well. */
interface Waiting {
  source: Message;
  toNetwork: boolean;
}

/**
 * An address whose messages go to every receiver. A message is accepted when each subscriber here, and the stream to the other routers,
 * has taken all of it into its queue; nobody waits for what subscribers make of it. Messages go out one after another, so that whatever
 * waits in a queue is whole, but for the last one.
 */
export class MulticastAddress implements Address {
  readonly name: string;
  readonly #context: HubContext;
  readonly #senders = new Set<ClientSender>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #output: MulticastOutput;
  readonly #inputs = new Set<MulticastInput>();
  /** Source → number → what came last. */
  readonly #known = new Map<string, Map<number, Message>>();
  /** Those of which too little has come to begin with. */
  readonly #gathering = new Set<Message>();
  readonly #waiting: Waiting[] = [];
  #current: Fanout | undefined;
  #stall: NodeJS.Timeout | undefined;
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
    return (
      this.#senders.size === 0 && this.#subscribers.size === 0 && this.#inputs.size === 0 && !this.#isBusy && this.#output.isIdle
    );
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
    this.#current?.copies.delete(subscriber);
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
    const earlier = (source: string) => [...this.#inputs].filter((input) => input.source === source);
    this.#inputs.add(new MulticastInput(stream, this, earlier));
  }

  /** Whether a message has come before, over a stream that was lost later. */
  isKnown(source: string, message: Message): boolean {
    const known = this.#known.get(source) ?? new Map<number, Message>();
    this.#known.set(source, known);
    const before = known.get(message.id);
    if (before && !before.isAborted) return true;
    known.delete(message.id);
    known.set(message.id, message);
    if (known.size > MULTICAST_TAIL_MESSAGES) known.delete(known.keys().next().value!);
    return false;
  }

  inputClosed(input: MulticastInput): void {
    this.#inputs.delete(input);
    const { source } = input;
    if (source !== undefined)
      setTimeout(() => {
        if (![...this.#inputs].some((other) => other.source === source)) this.#known.delete(source);
      }, MULTICAST_MEMORY_MS).unref();
    for (const other of this.#inputs) other.follow();
    this.#idle();
  }

  review(): void {
    this.#output.setRouters(this.#context.network.destinations(this.name).map(({ router }) => router));
    this.#receiversChanged();
    this.#idle();
  }

  close(): void {
    clearTimeout(this.#stall);
    this.#output.close();
    for (const input of this.#inputs) input.close();
  }

  /** Goes on when the turn ends: somebody has room again. */
  flowSoon(): void {
    if (this.#flowsSoon || !this.#isBusy) return;
    this.#flowsSoon = true;
    process.nextTick(() => {
      this.#flowsSoon = false;
      this.#flow();
      this.#idle();
    });
  }

  #fanOut(source: Message, toNetwork: boolean): void {
    const isReady = () => source.isComplete || source.isAborted || source.size >= MULTICAST_GATHER_BYTES;
    const start = () => {
      this.#gathering.delete(source);
      source.onMore = () => {
        if (this.#current?.source === source) this.#flow();
      };
      this.#waiting.push({ source, toNetwork });
      this.#flow();
    };
    if (isReady()) return start();
    this.#gathering.add(source);
    source.onMore = () => {
      if (isReady()) start();
    };
  }

  get #isBusy(): boolean {
    return this.#current !== undefined || this.#waiting.length > 0 || this.#gathering.size > 0;
  }

  /** Sends on what has come, for as long as everybody has room for it. */
  #flow(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    while (this.#current ? this.#sendOn(this.#current) : this.#begin());
    this.#isFlowing = false;
    this.#reviewStall();
  }

  /** Begins with the next message. False where there is none, or it has to wait. */
  #begin(): boolean {
    const next = this.#waiting[0];
    if (!next) return false;
    const outlets: Outlet[] = [...this.#subscribers];
    if (next.toNetwork && this.#output.hasRouters) {
      this.#output.connect();
      outlets.push(this.#output);
    }
    if (outlets.some(({ isFull }) => isFull)) return false;
    this.#waiting.shift();
    const copies = new Map<Outlet, Message>();
    for (const outlet of outlets) {
      const copy = outlet.begin(next.source);
      if (copy) copies.set(outlet, copy);
    }
    this.#current = { source: next.source, copies };
    return true;
  }

  /** Sends on the next part. False where it has to wait. */
  #sendOn({ source, copies }: Fanout): boolean {
    if (source.isAborted) {
      this.#end(RELEASED);
      return true;
    }
    for (const outlet of copies.keys()) if (outlet.isFull) return false;
    const part = source.take();
    if (!part) return false;
    clearTimeout(this.#stall);
    this.#stall = undefined;
    const isLast = source.isTaken;
    for (const [outlet, copy] of copies) if (!copy.isAborted) outlet.append(copy, part, isLast);
    if (isLast) this.#end(ACCEPTED);
    return true;
  }

  #end(outcome: Outcome): void {
    if (!this.#current) return;
    const { source, copies } = this.#current;
    this.#current = undefined;
    if (outcome !== ACCEPTED) for (const copy of copies.values()) copy.abort();
    source.discard();
    source.origin.settled(source, outcome);
  }

  /** A sender that stops in the middle of a message does not hold up the others for ever. */
  #reviewStall(): void {
    const isStalling = this.#current !== undefined && this.#waiting.length > 0 && !this.#current.source.hasMore;
    if (!isStalling) {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    } else
      this.#stall ??= setTimeout(() => {
        this.#stall = undefined;
        this.#context.log.warn('a message was given up: its sender stopped in the middle of it', { address: this.name });
        this.#end(FAILED);
        this.#flow();
      }, this.#context.messageStallMs).unref();
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
