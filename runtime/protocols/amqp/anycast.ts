import type { Duplex, Readable } from 'node:stream';
import { Duplex as DuplexStream } from 'node:stream';
import type { Candidate } from '../../routing/balancer.ts';
import type { Distribution } from '../../routing/types.ts';
import type { Address, HubContext } from './address.ts';
import { replyRouter } from './addresses.ts';
import { ClientReceiver } from './client-receiver.ts';
import { ClientSender } from './client-sender.ts';
import type { OutgoingLink } from './endpoint/outgoing-link.ts';
import { IncomingStream } from './incoming-stream.ts';
import { DRAIN_WITHIN_MS, MAX_GRANT, MAX_ORPHAN_BYTES, MAX_ORPHANS } from './limits.ts';
import type { Message } from './message.ts';
import type { ReceivingRouter } from './message-network.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import { FAILED, type Outcome, RELEASED } from './wire/delivery-state.ts';

/** Who can be given a message: a client here, or the hub of another router. */
export interface Destination extends Candidate {
  /** How many messages it takes. */
  readonly credit: number;
  /** Whether it takes one now: it has credit, and not too many bytes that wait already. */
  readonly isReady: boolean;
  give(message: Message): void;
}

/**
 * An address whose messages go to one receiver each. Credit goes from end to end: this hub's clients give it, and the hub shares it out
 * among its own senders and the hubs that ask, so a message that travels has a receiver waiting. Where credit is scarce it is asked
 * back from the hubs that do not use it.
 */
export class AnycastAddress implements Address {
  readonly name: string;
  readonly #distribution: Distribution;
  readonly #context: HubContext;
  readonly isReply: boolean;
  readonly #senders = new Set<ClientSender>();
  readonly #receivers = new Set<ClientReceiver>();
  /** Router → the stream to its hub. */
  readonly #streams = new Map<string, OutgoingStream>();
  readonly #peers = new Set<IncomingStream>();
  /** Of clients here, in the order in which they came. */
  readonly #waiting: Message[] = [];
  /** Of other hubs, which were promised a receiver. */
  readonly #arrived: Message[] = [];
  #isDispatching = false;
  #dispatchesSoon = false;
  #hadReceivers = false;

  constructor(name: string, distribution: Distribution, context: HubContext) {
    this.name = name;
    this.#distribution = distribution;
    this.#context = context;
    this.isReply = replyRouter(name) !== undefined;
    this.review();
  }

  get hasReceivers(): boolean {
    return this.#receivers.size > 0 || [...this.#streams.values()].some(({ hasReceivers }) => hasReceivers);
  }

  get isUnused(): boolean {
    return (
      this.#senders.size === 0 &&
      this.#receivers.size === 0 &&
      this.#peers.size === 0 &&
      this.#waiting.length === 0 &&
      this.#arrived.length === 0 &&
      [...this.#streams.values()].every(({ isConnected }) => !isConnected)
    );
  }

  addSender(sender: ClientSender): void {
    this.#senders.add(sender);
    this.#connect();
    sender.grant(this.hasReceivers);
  }

  removeSender(sender: ClientSender): void {
    // What came in this very turn may have a receiver.
    this.dispatch();
    this.#senders.delete(sender);
    // What it sent whole goes on all the same, within bounds: it may have sent, and gone, in good faith.
    const orphans = this.#waiting.filter(({ origin }) => origin instanceof ClientSender && !origin.isThere);
    let bytes = 0;
    const dropped = orphans.filter(({ size }, at) => {
      bytes += size;
      return at >= MAX_ORPHANS || bytes > MAX_ORPHAN_BYTES;
    });
    for (const message of dropped) {
      this.#waiting.splice(this.#waiting.indexOf(message), 1);
      message.discard();
    }
    if (dropped.length > 0)
      this.#context.log.warn('messages of clients that are gone were dropped, since nobody takes them', { address: this.name });
    this.#idle();
  }

  addReceiver(link: OutgoingLink): void {
    link.stallMs = this.#context.messageStallMs;
    this.#receivers.add(new ClientReceiver(link, this));
    this.#receiversChanged();
  }

  send(message: Message): void {
    this.#wait(this.#waiting, message);
    this.dispatchSoon();
  }

  accept(stream: Duplex | Readable): void {
    if (stream instanceof DuplexStream) this.#peers.add(new IncomingStream(stream, this));
    else stream.destroy();
    this.dispatch();
  }

  review(): void {
    const destinations = new Map(this.#destinations().map((each) => [each.router, each]));
    for (const [router, stream] of this.#streams) {
      const destination = destinations.get(router);
      destinations.delete(router);
      if (destination) stream.update(destination);
      else {
        this.#streams.delete(router);
        stream.close();
      }
    }
    for (const destination of destinations.values())
      this.#streams.set(destination.router, new OutgoingStream(destination, this, this.#context));
    if (this.#senders.size > 0 || this.#waiting.length > 0) this.#connect();
    this.receiversChangedElsewhere();
    this.#idle();
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.close();
    for (const peer of this.#peers) peer.close();
  }

  // What its receivers and streams tell.

  /** Another hub said whether it has receivers. */
  receiversChangedElsewhere(): void {
    const { hasReceivers } = this;
    if (hasReceivers !== this.#hadReceivers) {
      this.#hadReceivers = hasReceivers;
      for (const sender of this.#senders) sender.grant(hasReceivers);
    }
    this.dispatch();
  }

  /** A message that arrived from another hub. */
  arrived(message: Message): void {
    this.#wait(this.#arrived, message);
    this.dispatchSoon();
  }

  /** A message that was given out has its outcome. */
  done(destination: Destination, message: Message, outcome: Outcome): void {
    this.#context.balancer.ended(this.name, destination.key);
    message.forget();
    if (!message.isTaken) message.discard();
    message.origin.settled(message, outcome);
  }

  /**
   * A destination was lost, or gives a message back.
   *
   * @param wasSeen Whether a receiver may have seen it: that counts as a failed attempt.
   */
  givenBack(destination: Destination, message: Message, wasSeen: boolean): void {
    this.#context.balancer.ended(this.name, destination.key);
    if (message.origin instanceof IncomingStream) {
      // Its own hub knows of all receivers, and sends it again.
      if (message.origin.giveBack(message, wasSeen)) return;
      if (!wasSeen && message.rewind()) this.#wait(this.#arrived, message, true);
      else message.discard();
      return;
    }
    const isUseless = message.isAborted || (message.isSettled && wasSeen);
    if (isUseless || !message.rewind()) {
      message.discard();
      message.origin.settled(message, wasSeen ? FAILED : RELEASED);
      return;
    }
    if (wasSeen) message.countFailure();
    this.#wait(this.#waiting, message, true);
  }

  receiverClosed(receiver: ClientReceiver): void {
    this.#receivers.delete(receiver);
    this.#context.balancer.drop(this.name, receiver.key);
    this.#receiversChanged();
    this.#idle();
  }

  peerClosed(peer: IncomingStream): void {
    this.#peers.delete(peer);
    this.dispatch();
    this.#idle();
  }

  /** A stream to another hub closed. */
  streamClosed(): void {
    this.dispatch();
    this.#idle();
  }

  /** A client wants its credit used or gone: it waits a moment where another hub was promised some of it. */
  draining(receiver: ClientReceiver): void {
    this.dispatch();
    if (![...this.#peers].some(({ isPromised }) => isPromised)) receiver.drained();
    else receiver.drainedAfter(DRAIN_WITHIN_MS);
  }

  /** Gives what waits when the turn ends: several messages may come back in it, and keep their order. */
  dispatchSoon(): void {
    if (this.#dispatchesSoon) return;
    this.#dispatchesSoon = true;
    process.nextTick(() => {
      this.#dispatchesSoon = false;
      this.dispatch();
    });
  }

  /** Gives what waits to whoever takes it. */
  dispatch(): void {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    this.#giveArrived();
    this.#giveWaiting();
    this.#shareCredit();
    this.#isDispatching = false;
  }

  /** Whether streams to other hubs are needed. */
  get isSending(): boolean {
    return this.#senders.size > 0 || this.#waiting.length > 0;
  }

  get receivers(): number {
    return this.#receivers.size;
  }

  /** Puts a message where it waits for a receiver, until its sender gives it up. */
  #wait(queue: Message[], message: Message, isNext = false): void {
    if (isNext) queue.unshift(message);
    else queue.push(message);
    if (message.isComplete) return;
    message.onMore = () => {
      if (!message.isAborted) return;
      queue.splice(queue.indexOf(message), 1);
      message.discard();
      message.origin.settled(message, RELEASED);
    };
  }

  #giveArrived(): void {
    while (this.#arrived.length > 0) {
      const receiver = this.#choose(this.#receivers);
      if (receiver) this.#give(receiver, this.#arrived.shift()!);
      else if (this.#arrived.length <= this.#totalCredit()) return;
      // The credit that it was promised is gone: its own hub finds it another receiver.
      else if (!this.#returnArrived()) return;
    }
  }

  #returnArrived(): boolean {
    const at = this.#arrived.findIndex(
      (message) => message.origin instanceof IncomingStream && message.origin.giveBack(message, false),
    );
    if (at >= 0) this.#arrived.splice(at, 1);
    else if (this.#receivers.size === 0)
      // Nobody waits for these to be told.
      for (const message of this.#arrived.splice(0)) message.discard();
    return at >= 0;
  }

  #giveWaiting(): void {
    if (this.#waiting.length > 0) this.#connect();
    while (this.#waiting.length > 0) {
      const message = this.#waiting[0]!;
      const eligible = this.#eligible();
      const destination = this.#choose(eligible);
      if (destination) {
        this.#waiting.shift();
        this.#give(destination, message);
      } else if (eligible.length > 0 || this.hasReceivers) {
        for (const each of eligible) if (each instanceof OutgoingStream) each.need();
        return;
      } else {
        this.#waiting.shift();
        message.discard();
        message.origin.settled(message, RELEASED);
      }
    }
  }

  /** Who may be given a message of a client here. Credit that was promised to other hubs is not for it. */
  #eligible(): Destination[] {
    const eligible: Destination[] = this.#freeCredit() > 0 ? [...this.#receivers] : [];
    const isClosest = this.#distribution === 'closest';
    if (isClosest && this.#receivers.size > 0) return eligible;
    for (const stream of this.#streams.values()) if (stream.hasReceivers) eligible.push(stream);
    if (!isClosest) return eligible;
    const least = Math.min(...eligible.map(({ cost }) => cost));
    return eligible.filter(({ cost }) => cost === least);
  }

  /** The best of those that take a message now. */
  #choose<D extends Destination>(destinations: Iterable<D>): D | undefined {
    const ready: D[] = [];
    for (const each of destinations) if (each.isReady) ready.push(each);
    return this.#context.balancer.choose(this.name, this.#distribution, ready);
  }

  #give(destination: Destination, message: Message): void {
    this.#context.balancer.started(this.name, destination.key);
    message.destination = destination.key;
    message.onMore = undefined;
    destination.give(message);
  }

  #totalCredit(): number {
    let total = 0;
    for (const { credit } of this.#receivers) total += credit;
    return total;
  }

  #freeCredit(): number {
    let free = this.#totalCredit() - this.#arrived.length;
    for (const { granted } of this.#peers) free -= granted;
    return free;
  }

  /**
   * Promises this hub's credit to the others. Each has an even share beforehand, so that messages need not ask first; whoever has none
   * and needs it comes before that, and what others do not use is asked back.
   */
  #shareCredit(): void {
    if (this.#peers.size === 0) return;
    let free = this.#freeCredit();
    const sharers = this.#peers.size + (this.#senders.size > 0 ? 1 : 0);
    const share = Math.min(MAX_GRANT, Math.max(1, Math.floor(this.#totalCredit() / sharers)));
    const needy = [...this.#peers].filter(({ isNeedy, granted }) => isNeedy && granted === 0);
    for (const peer of needy) {
      if (free <= 0) break;
      free -= peer.grant(Math.min(share, free));
      // The next time it is another's turn.
      this.#peers.delete(peer);
      this.#peers.add(peer);
    }
    const isScarce = needy.some(({ granted }) => granted === 0) || this.#waiting.length > 0;
    for (const peer of this.#peers) {
      if (isScarce && free <= 0) {
        if (!peer.isNeedy) peer.recall();
      } else if (free > 0 && !isScarce && peer.granted <= share / 2) free -= peer.grant(Math.min(share - peer.granted, free));
    }
  }

  #destinations(): ReceivingRouter[] {
    const router = replyRouter(this.name);
    if (router === undefined) return this.#context.network.destinations(this.name);
    return router === this.#context.network.router ? [] : [{ router, site: '', cost: 1, receivers: 1 }];
  }

  #connect(): void {
    for (const stream of this.#streams.values()) stream.connect();
  }

  #receiversChanged(): void {
    const receivers = this.#receivers.size;
    if (!this.isReply) this.#context.network.serve(this.name, { distribution: this.#distribution, receivers });
    for (const peer of this.#peers) peer.tellReceivers(receivers);
    this.receiversChangedElsewhere();
  }

  #idle(): void {
    if (this.isUnused) this.#context.unused(this);
  }
}
