import { CONNECTION_WINDOW_BYTES, MAX_FRAME_BYTES, MAX_LINKS, SESSION_WINDOW_BYTES } from '../limits.ts';
import type { Message } from '../message.ts';
import { AmqpError } from '../wire/amqp-error.ts';
import type { Decoder } from '../wire/decoder.ts';
import { type Outcome, RELEASED, toOutcome } from '../wire/delivery-state.ts';
import type { Encoder } from '../wire/encoder.ts';
import { AMQP_FRAME } from '../wire/frame-reader.ts';
import * as performatives from '../wire/performatives.ts';
import type { Connection } from './connection.ts';
import { IncomingLink } from './incoming-link.ts';
import type { Link, LinkAttach } from './link.ts';
import { type OutgoingDelivery, OutgoingLink } from './outgoing-link.ts';

/** A window is told in frames, each of which may be as large as the largest. */
const WINDOW_FRAMES = SESSION_WINDOW_BYTES / MAX_FRAME_BYTES;
/** What a transfer has besides its payload, at most. Bytes. */
const TRANSFER_OVERHEAD_BYTES = 48;

const EMPTY = Buffer.alloc(0);

/** Dispositions of deliveries one after another with the same outcome, told as one. */
interface Settled {
  isReceiver: boolean;
  first: number;
  last: number;
  outcome: Outcome;
}

/** A session: windows and numbers of transfers, shared by its links (sections 2.5 and 2.6 of AMQP 1.0). Numbers go round at 2³². */
export class Session {
  readonly connection: Connection;
  readonly channel: number;
  readonly #byRemoteHandle = new Map<number, Link>();
  readonly #byHandle = new Map<number, Link>();
  #isEnded = false;

  // What comes in.
  #nextIncomingId = 0;
  /** Frames that the peer may still send. */
  #incomingWindow = 0;
  /** Bytes that came and were not passed on. */
  #held = 0;

  // What goes out.
  #nextOutgoingId = 0;
  #remoteWindow = 0;
  #hasAsked = false;
  #nextDeliveryId = 0;
  readonly #unsettled = new Map<number, OutgoingDelivery>();
  readonly #blocked = new Set<OutgoingLink>();

  // What the peer is told when the turn ends.
  #settled: Settled[] = [];
  #wantsFlow = false;
  readonly #flows = new Set<IncomingLink>();

  constructor(connection: Connection, channel: number) {
    this.connection = connection;
    this.channel = channel;
    this.#reopenWindow();
  }

  /** What a frame can carry besides its performative. Bytes. */
  get maxPayload(): number {
    return this.connection.remoteMaxFrame - TRANSFER_OVERHEAD_BYTES;
  }

  /** Whether a transfer may be written now. */
  get isWritable(): boolean {
    return this.#remoteWindow > 0 && !this.connection.isBusy;
  }

  begun({ nextOutgoingId, incomingWindow }: performatives.Begin): void {
    this.#nextIncomingId = nextOutgoingId;
    this.#remoteWindow = incomingWindow;
  }

  /** A frame of this session. @param body Where it goes on behind the performative. */
  frame(performative: number, fields: Decoder, body: Decoder): void {
    switch (performative) {
      case performatives.ATTACH:
        return this.#attached(performatives.decodeAttach(fields));
      case performatives.FLOW:
        return this.#flowed(performatives.decodeFlow(fields));
      case performatives.TRANSFER:
        return this.#transferred(performatives.decodeTransfer(fields, body.rest()));
      case performatives.DISPOSITION:
        return this.#disposed(performatives.decodeDisposition(fields));
      case performatives.DETACH:
        return this.#detached(performatives.decodeDetach(fields));
      default:
        throw new AmqpError('amqp:not-implemented', `0x${performative.toString(16)} is no performative of a session`);
    }
  }

  /** Attaches a link over which this side sends. */
  attachSender(attach: LinkAttach): OutgoingLink {
    const link = new OutgoingLink(this, this.#freeHandle(), attach, true);
    this.#byHandle.set(link.handle, link);
    this.writeAttach(link, attach.source, attach.target);
    return link;
  }

  /** Every link is over, for the reason that the session, or its connection, is. */
  close(error: AmqpError | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const link of this.#byHandle.values()) link.close(error);
  }

  /** Links that had to wait go on. */
  resume(): void {
    const waiting = [...this.#blocked];
    this.#blocked.clear();
    for (const link of waiting) link.pump();
  }

  blocked(link: OutgoingLink): void {
    this.#blocked.add(link);
    if (this.#remoteWindow > 0 || this.#hasAsked) return;
    // Some clients open their window only after a whole message, unless they are asked: `echo` wants an answer.
    this.#hasAsked = true;
    this.writeFlow(undefined, true);
  }

  /** So many bytes were passed on. */
  passed(bytes: number): void {
    this.#held -= bytes;
    this.#reviewWindow();
  }

  /** The credit of this link is told when the turn ends. */
  wantsFlow(link: IncomingLink): void {
    this.#flows.add(link);
    this.connection.touch(this);
  }

  /** The outcome is told when the turn ends. */
  settle(isReceiver: boolean, id: number, outcome: Outcome): void {
    const last = this.#settled.at(-1);
    if (last && last.isReceiver === isReceiver && last.outcome === outcome && last.last + 1 === id) last.last = id;
    else this.#settled.push({ isReceiver, first: id, last: id, outcome });
    this.connection.touch(this);
  }

  /** Numbers a delivery, whose transfers follow. */
  beginDelivery(link: OutgoingLink, message: Message, isSettled: boolean): OutgoingDelivery {
    const id = this.#nextDeliveryId;
    this.#nextDeliveryId = (id + 1) >>> 0;
    const delivery = { link, message, id, isSettled };
    if (!isSettled) this.#unsettled.set(id, delivery);
    return delivery;
  }

  /** Forgets the deliveries of a link that is over, and returns what had no outcome. */
  forget(link: OutgoingLink): Message[] {
    this.#blocked.delete(link);
    const messages = [];
    for (const [id, delivery] of this.#unsettled) {
      if (delivery.link !== link) continue;
      messages.push(delivery.message);
      this.#unsettled.delete(id);
    }
    return messages;
  }

  // What is written. All of it goes out when the turn ends.

  transfer(
    handle: number,
    { id, message, isSettled }: OutgoingDelivery,
    payload: Buffer,
    { isFirst, more, aborted = false }: { isFirst: boolean; more: boolean; aborted?: boolean },
  ): void {
    this.#nextOutgoingId = (this.#nextOutgoingId + 1) >>> 0;
    this.#remoteWindow--;
    const { output } = this.connection;
    const { encoder } = output;
    const at = output.begin(AMQP_FRAME, this.channel);
    const list = encoder.beginList(performatives.TRANSFER, aborted ? 10 : 6);
    encoder.uint(handle);
    if (isFirst) {
      encoder.uint(id);
      encoder.byte(0xa0);
      encoder.byte(4);
      encoder.uint32(id);
      encoder.uint(message.format);
    } else for (let i = 0; i < 3; i++) encoder.null();
    encoder.boolean(isSettled);
    encoder.boolean(more);
    if (aborted) {
      for (let i = 0; i < 3; i++) encoder.null();
      encoder.boolean(true);
    }
    encoder.endList(list);
    encoder.bytes(payload);
    output.end(at);
    this.connection.touch(this);
  }

  /** Tells that no more of a delivery comes, and that it is none. */
  abort(handle: number, delivery: OutgoingDelivery): void {
    this.#unsettled.delete(delivery.id);
    this.transfer(handle, delivery, EMPTY, { isFirst: false, more: false, aborted: true });
  }

  writeAttach(link: Link, source: performatives.Terminus | undefined, target: performatives.Terminus | undefined): void {
    this.#write(performatives.ATTACH, link.isReceiver ? 7 : 10, (encoder) => {
      encoder.string(link.name);
      encoder.uint(link.handle);
      encoder.boolean(link.isReceiver);
      encoder.ubyte(link.senderSettles);
      // Receivers settle first: whoever asks for more is told that this is what there is.
      encoder.ubyte(0);
      writeTerminus(encoder, 0x28, source);
      writeTerminus(encoder, 0x29, target);
      if (link.isReceiver) return;
      encoder.null();
      encoder.boolean(undefined);
      encoder.uint(0);
    });
  }

  writeDetach(link: Link, closed: boolean, error: AmqpError | undefined): void {
    this.#write(performatives.DETACH, 3, (encoder) => {
      encoder.uint(link.handle);
      encoder.boolean(closed);
      writeError(encoder, error);
    });
  }

  writeFlow(link?: { handle: number; deliveryCount: number; credit: number; drain: boolean }, echo = false): void {
    this.#reopenWindow();
    this.#write(performatives.FLOW, 10, (encoder) => {
      encoder.uint(this.#nextIncomingId);
      encoder.uint(this.#incomingWindow);
      encoder.uint(this.#nextOutgoingId);
      encoder.uint(WINDOW_FRAMES);
      encoder.uint(link?.handle);
      encoder.uint(link?.deliveryCount);
      encoder.uint(link?.credit);
      encoder.null();
      encoder.boolean(link?.drain);
      encoder.boolean(echo);
    });
  }

  writeBegin(remoteChannel: number | undefined): void {
    this.#write(performatives.BEGIN, 5, (encoder) => {
      encoder.ushort(remoteChannel);
      encoder.uint(this.#nextOutgoingId);
      encoder.uint(this.#incomingWindow);
      encoder.uint(WINDOW_FRAMES);
      encoder.uint(MAX_LINKS - 1);
    });
  }

  /** Writes what has gathered during the turn. */
  writeGathered(): void {
    const settled = this.#settled;
    if (settled.length > 0) this.#settled = [];
    for (const { isReceiver, first, last, outcome } of settled)
      this.#write(performatives.DISPOSITION, 5, (encoder) => {
        encoder.boolean(isReceiver);
        encoder.uint(first);
        encoder.uint(last);
        encoder.boolean(true);
        encoder.raw(outcome.state);
      });
    for (const link of this.#flows) if (link.isOpen) this.writeFlow({ handle: link.handle, ...link.nextFlow(), drain: false });
    this.#flows.clear();
    if (this.#wantsFlow) this.writeFlow();
  }

  #write(performative: number, count: number, fields: (encoder: Encoder) => void): void {
    if (this.#isEnded) return;
    this.connection.output.frame(AMQP_FRAME, this.channel, (encoder) => encoder.list(performative, count, () => fields(encoder)));
    this.connection.touch(this);
  }

  // What was read.

  #attached(attach: performatives.Attach): void {
    if (this.#byRemoteHandle.has(attach.handle)) throw new AmqpError('amqp:session:handle-in-use', 'a handle is in use');
    const known = [...this.#byHandle.values()].find(
      (link) => link.name === attach.name && link.isReceiver !== attach.isReceiver && !link.isDetached,
    );
    if (known && (!known.isOurs || known.remoteHandle !== undefined))
      throw new AmqpError('amqp:resource-locked', `there is a link ${attach.name} already`);
    if (known) {
      this.#byRemoteHandle.set(attach.handle, known);
      known.remoteAttached(attach);
      // One that is refused comes back without what was asked for, and is detached next (section 2.6.3 of AMQP 1.0).
      if (known.target) this.connection.user.attached(known as OutgoingLink);
      return;
    }
    if (this.#byHandle.size >= MAX_LINKS)
      throw new AmqpError('amqp:resource-limit-exceeded', `a session has at most ${MAX_LINKS} links`);
    const handle = this.#freeHandle();
    const link = attach.isReceiver ? new OutgoingLink(this, handle, attach, false) : new IncomingLink(this, handle, attach);
    link.remoteAttached(attach);
    this.#byHandle.set(handle, link);
    this.#byRemoteHandle.set(attach.handle, link);
    if (attach.isTransaction) link.refuse(new AmqpError('amqp:not-implemented', 'There are no transactions here.'));
    else this.connection.user.attached(link);
  }

  #flowed(flow: performatives.Flow): void {
    // What the peer has not seen yet counts as well (section 2.5.6 of AMQP 1.0).
    this.#hasAsked = false;
    this.#remoteWindow = ((flow.nextIncomingId ?? 0) + flow.incomingWindow - this.#nextOutgoingId) | 0;
    if (flow.handle !== undefined) {
      const link = this.#linkOf(flow.handle);
      if (link instanceof OutgoingLink) link.flowed(flow);
      else if (flow.echo && link instanceof IncomingLink) this.wantsFlow(link);
    } else if (flow.echo) this.#wantsFlowNow();
    if (this.#blocked.size > 0 && this.isWritable) this.resume();
  }

  #transferred(transfer: performatives.Transfer): void {
    if (this.#incomingWindow === 0) throw new AmqpError('amqp:session:window-violation', 'more came than the window allows');
    this.#incomingWindow--;
    this.#nextIncomingId = (this.#nextIncomingId + 1) >>> 0;
    this.#held += transfer.payload.length;
    const link = this.#linkOf(transfer.handle);
    if (!(link instanceof IncomingLink)) throw new AmqpError('amqp:session:errant-link', 'a receiver sends');
    link.transfer(transfer);
    this.#reviewWindow();
  }

  #disposed({ isReceiver, first, last, settled, state }: performatives.Disposition): void {
    // A sender that settles wants to know no more. It is told all the same, and does not listen.
    if (!isReceiver) return;
    const outcome = toOutcome(state) ?? (settled ? RELEASED : undefined);
    if (!outcome) return;
    const count = (last - first) >>> 0;
    // A range may be as wide as the numbers are: never walk what is not there.
    const ids = count < this.#unsettled.size ? range(first, count) : [...this.#unsettled.keys()];
    for (const id of ids) {
      const delivery = this.#unsettled.get(id);
      if (!delivery || (id - first) >>> 0 > count) continue;
      this.#unsettled.delete(id);
      if (!settled) this.settle(false, id, outcome);
      delivery.link.settled(delivery, outcome);
    }
  }

  #detached({ handle, closed, error }: performatives.Detach): void {
    const link = this.#linkOf(handle);
    link.remoteDetached(closed, error);
    this.#byRemoteHandle.delete(handle);
    this.#byHandle.delete(link.handle);
  }

  #linkOf(remoteHandle: number): Link {
    const link = this.#byRemoteHandle.get(remoteHandle);
    if (!link) throw new AmqpError('amqp:session:unattached-handle', 'a handle is not attached');
    return link;
  }

  #freeHandle(): number {
    let handle = this.#byHandle.size;
    while (this.#byHandle.has(handle)) handle = (handle + 1) % MAX_LINKS;
    return handle;
  }

  #wantsFlowNow(): void {
    this.#wantsFlow = true;
    this.connection.touch(this);
  }

  /** Opens the window again once that is worth a frame. */
  #reviewWindow(): void {
    if (!this.#wantsFlow && this.#possibleWindow() - this.#incomingWindow >= this.#incomingWindow / 2 + 1) this.#wantsFlowNow();
  }

  #reopenWindow(): void {
    this.#wantsFlow = false;
    this.#incomingWindow = Math.max(this.#incomingWindow, this.#possibleWindow());
  }

  #possibleWindow(): number {
    const share = Math.min(SESSION_WINDOW_BYTES, CONNECTION_WINDOW_BYTES / this.connection.sessions);
    return Math.floor((share - this.#held) / MAX_FRAME_BYTES);
  }
}

function* range(first: number, count: number): Iterable<number> {
  for (let i = 0; i <= count; i++) yield (first + i) >>> 0;
}

function writeTerminus(encoder: Encoder, descriptor: number, terminus: performatives.Terminus | undefined): void {
  if (!terminus) return encoder.null();
  const isSource = descriptor === 0x28;
  encoder.list(descriptor, isSource ? 11 : 7, () => {
    encoder.string(terminus.address);
    encoder.uint(terminus.durable);
    encoder.symbol(terminus.expiryPolicy);
    encoder.uint(terminus.timeout);
    encoder.boolean(terminus.dynamic);
    encoder.null();
    if (isSource) {
      for (let i = 0; i < 3; i++) encoder.null();
      encoder.raw(terminus.outcomes);
    }
    encoder.raw(terminus.capabilities);
  });
}

export function writeError(encoder: Encoder, error: AmqpError | undefined): void {
  if (!error) return encoder.null();
  encoder.list(0x1d, 2, () => {
    encoder.symbol(error.condition);
    encoder.string(error.message);
  });
}
