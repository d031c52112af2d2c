import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { until } from '../../../test/support/until.ts';
import { MAX_FRAME_BYTES } from './limits.ts';
import { Decoder } from './wire/decoder.ts';
import { Encoder } from './wire/encoder.ts';
import { AMQP_FRAME, type FrameHandler, FrameReader } from './wire/frame-reader.ts';
import * as performatives from './wire/performatives.ts';

const MOST_PAYLOAD = MAX_FRAME_BYTES - 64;

export interface Seen {
  channel: number;
  performative: number;
  fields: Decoder;
}

/** A client of the test that says exactly what it is told to: what rhea never would. One session on channel 0, one link on handle 0. */
export class Peer implements FrameHandler {
  readonly socket: Socket;
  readonly seen: Seen[] = [];
  readonly #reader = new FrameReader(this, 2 ** 32);
  payloadBytes = 0;
  messages = 0;
  aborted = 0;
  heartbeats = 0;
  /** The bodies of the flows that it saw. */
  readonly flows: Buffer[] = [];
  #drained = 0;
  /** Sends: its credit lasts up to this delivery. */
  #limit = 0;
  #window = 0;
  #nextOutgoingId = 0;
  #deliveryId = 0;
  #isInDelivery = false;
  isClosed = false;
  /** Receives: so many transfers it still lets come. */
  #incoming = 0;
  #received = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#reader.push(bytes));
    socket.on('error', () => {});
    socket.on('close', () => (this.isClosed = true));
  }

  static async connect(port: number): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Peer(socket);
  }

  /** Connected, open, and with a session. */
  static async open(port: number): Promise<Peer> {
    const peer = await Peer.connect(port);
    peer.writeHeader();
    peer.openConnection();
    peer.begin();
    await peer.sees(performatives.BEGIN);
    return peer;
  }

  writeHeader(protocol = 0): void {
    this.socket.write(Buffer.of(0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0));
  }

  openConnection(idleTimeout?: number): void {
    this.write(performatives.OPEN, 5, (encoder) => {
      encoder.string('peer');
      encoder.null();
      encoder.uint(64 * 1024);
      encoder.ushort(10);
      encoder.uint(idleTimeout);
    });
  }

  begin(channel = 0): void {
    this.#incoming = 1_000_000;
    this.write(
      performatives.BEGIN,
      4,
      (encoder) => {
        encoder.null();
        encoder.uint(0);
        encoder.uint(1_000_000);
        encoder.uint(1_000_000);
      },
      channel,
    );
  }

  attach(isReceiver: boolean, address: string, { name = 'link', handle = 0 } = {}): void {
    this.write(performatives.ATTACH, 10, (encoder) => {
      encoder.string(name);
      encoder.uint(handle);
      encoder.boolean(isReceiver);
      encoder.null();
      encoder.null();
      encoder.list(0x28, 1, () => encoder.string(isReceiver ? address : undefined));
      encoder.list(0x29, 1, () => encoder.string(isReceiver ? undefined : address));
      encoder.null();
      encoder.null();
      encoder.uint(0);
    });
  }

  receive(address: string, credit: number): void {
    this.attach(true, address);
    this.flow(credit);
  }

  flow(credit: number, drain = false): void {
    this.write(performatives.FLOW, 9, (encoder) => {
      encoder.uint(this.#received);
      encoder.uint(this.#incoming);
      encoder.uint(this.#nextOutgoingId);
      encoder.uint(1_000_000);
      encoder.uint(0);
      encoder.uint(this.#drained);
      encoder.uint(credit);
      encoder.null();
      encoder.boolean(drain);
    });
  }

  send(address: string): void {
    this.attach(false, address);
  }

  async credit(): Promise<void> {
    await until('credit', () => this.hasCredit);
  }

  get hasCredit(): boolean {
    return this.#limit > this.#deliveryId;
  }

  /** Whether the session lets it send so many more transfers; false once it has not for a while. */
  async hasWindow(transfers = 1): Promise<boolean> {
    const isOpen = () => this.#window >= transfers && this.socket.writableLength < 1024 * 1024;
    for (let looks = 0; looks < 50; looks++) {
      if (isOpen()) return true;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return until('a window', isOpen, { timeoutMs: 300 }).catch(() => false);
  }

  /** A message in frames as large as they may be. */
  message(payload: Buffer, options: { settled?: boolean } = {}): void {
    for (let at = 0; at === 0 || at < payload.length; at += MOST_PAYLOAD)
      this.transfer(payload.subarray(at, at + MOST_PAYLOAD), { ...options, more: at + MOST_PAYLOAD < payload.length });
  }

  transfer(payload: Buffer, { more = false, aborted = false, settled = false } = {}): void {
    this.#window--;
    this.#nextOutgoingId++;
    const isFirst = !this.#isInDelivery;
    this.#isInDelivery = more;
    const id = isFirst ? this.#deliveryId++ : undefined;
    this.write(
      performatives.TRANSFER,
      10,
      (encoder) => {
        encoder.uint(0);
        encoder.uint(id);
        encoder.binary(isFirst ? Buffer.from(String(id)) : undefined);
        encoder.uint(0);
        encoder.boolean(settled);
        encoder.boolean(more);
        for (let i = 0; i < 3; i++) encoder.null();
        encoder.boolean(aborted);
      },
      0,
      payload,
    );
  }

  write(performative: number, count: number, fields: (encoder: Encoder) => void, channel = 0, payload?: Buffer): void {
    const encoder = new Encoder();
    encoder.uint32(0);
    encoder.byte(2);
    encoder.byte(AMQP_FRAME);
    encoder.uint16(channel);
    encoder.list(performative, count, () => fields(encoder));
    if (payload) encoder.bytes(payload);
    encoder.setUint32(0, encoder.length);
    this.socket.write(encoder.take());
  }

  /** The first frame of this kind, when it has come. */
  sees(performative: number): Promise<Seen> {
    return until(
      () => `0x${performative.toString(16)}; it saw ${this.seen.map((each) => each.performative.toString(16)).join(' ')}`,
      () => this.seen.find((each) => each.performative === performative),
    );
  }

  /** The error that the connection was closed with. */
  async closedWith(): Promise<string> {
    const { fields } = await this.sees(performatives.CLOSE);
    const error = performatives.decodeEnding(fields);
    return `${error?.condition}: ${error?.message}`;
  }

  header(): void {
    // Headers are not looked at.
  }

  frame(_type: number, channel: number, body: Decoder): void {
    if (!body.hasMore) {
      this.heartbeats++;
      return;
    }
    const start = body.rest();
    const performative = body.descriptor();
    const fields = body.list();
    if (performative === performatives.TRANSFER) {
      this.#received++;
      const transfer = performatives.decodeTransfer(fields, body.rest());
      this.payloadBytes += transfer.payload.length;
      if (transfer.aborted) this.aborted++;
      else if (!transfer.more) this.messages++;
    } else if (performative === performatives.FLOW) {
      const flow = performatives.decodeFlow(fields);
      this.flows.push(start);
      if (flow.drain) this.#drained = flow.deliveryCount ?? 0;
      this.#window = (flow.nextIncomingId ?? 0) + flow.incomingWindow - this.#nextOutgoingId;
      if (flow.linkCredit !== undefined) this.#limit = (flow.deliveryCount ?? 0) + flow.linkCredit;
    } else {
      if (performative === performatives.BEGIN)
        this.#window = performatives.decodeBegin(new Decoder(start, 3).list()).incomingWindow;
      this.seen.push({ channel, performative, fields });
    }
  }
}
