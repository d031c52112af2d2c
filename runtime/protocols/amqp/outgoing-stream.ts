import type { Duplex } from 'node:stream';
import { defect } from '../../defects.ts';
import type { HubContext } from './address.ts';
import type { AnycastAddress, Destination } from './anycast.ts';
import {
  ACCEPTED_RANGE,
  CREDIT,
  FIRST_HUB_PROTOCOL,
  FREED,
  GIVEN_BACK,
  HUB_PROTOCOL,
  HubFrameReader,
  HubProtocolError,
  NEED,
  numberAt,
  OUTCOME,
  PLACED,
  RECALL,
  RECEIVERS,
  RETURNED,
  TAKEN,
} from './hub-frames.ts';
import { HubOutput } from './hub-output.ts';
import { HUB_STREAM_IDLE_MS, HUB_STREAM_RETRY_MS, MAX_GRANT } from './limits.ts';
import type { Message } from './message.ts';
import type { ReceivingRouter } from './message-network.ts';
import { AmqpError } from './wire/amqp-error.ts';
import { ACCEPTED, type Outcome, RELEASED, toOutcome } from './wire/delivery-state.ts';

/** The hub of another router as a destination of one address, over a stream of its own. It takes what it has granted. */
export class OutgoingStream implements Destination {
  readonly key: string;
  cost: number;
  targets: number;
  readonly #router: string;
  readonly #address: AnycastAddress;
  readonly #context: HubContext;
  #isConnecting = false;
  #isClosed = false;
  #stream: Duplex | undefined;
  #output: HubOutput | undefined;
  #isGreeted = false;
  #granted = 0;
  #hasAsked = false;
  /** What the other hub said; until then the network is believed. */
  #receivers: number | undefined;
  #nextNumber = 0;
  readonly #unsettled = new Map<number, Message>();
  #retry: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(destination: ReceivingRouter, address: AnycastAddress, context: HubContext) {
    this.key = `router ${destination.router}`;
    this.#router = destination.router;
    this.cost = destination.cost;
    this.targets = destination.receivers;
    this.#address = address;
    this.#context = context;
  }

  get credit(): number {
    return this.#granted;
  }

  get isReady(): boolean {
    return this.#granted > 0 && this.#output?.hasRoom === true;
  }

  get hasReceivers(): boolean {
    return this.#receivers !== 0;
  }

  get isConnected(): boolean {
    return this.#stream !== undefined || this.#isConnecting;
  }

  /** The network knows more. */
  update({ cost, receivers }: ReceivingRouter): void {
    this.cost = cost;
    if (this.#receivers === undefined) this.targets = receivers;
  }

  /** Connects where that was not done yet. */
  connect(): void {
    this.#reviewIdle();
    if (this.isConnected || this.#isClosed || this.#retry) return;
    this.#isConnecting = true;
    this.#context.network.connect(this.#router, this.#address.name).then(
      (stream) => this.#connected(stream),
      (error: unknown) => {
        this.#isConnecting = false;
        this.#lost(error);
      },
    );
  }

  /** Messages wait for credit of this hub. */
  need(): void {
    if (this.#granted > 0 || this.#hasAsked || !this.#isGreeted || !this.#output) return;
    this.#hasAsked = true;
    this.#output.frame(NEED);
  }

  give(message: Message): void {
    this.#granted--;
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) >>> 0;
    this.#unsettled.set(number, message);
    this.#output?.message(number, message);
  }

  /** The network does not lead there any more, or this hub ends. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#idle);
    this.#stream?.destroy();
    this.#disconnected();
  }

  #connected(stream: Duplex): void {
    this.#isConnecting = false;
    if (this.#isClosed) return void stream.destroy();
    this.#stream = stream;
    this.#output = new HubOutput(stream, (...about) => this.#written(...about));
    this.#output.onRoom = () => this.#address.dispatchSoon();
    const reader = new HubFrameReader((type, body) => this.#frame(type, body));
    let cause: unknown;
    stream.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch (error) {
        stream.destroy(error instanceof HubProtocolError || error instanceof AmqpError ? error : new Error(defect(error)));
      }
    });
    stream.on('error', (error) => (cause = error));
    stream.on('end', () => stream.destroy());
    stream.on('close', () => {
      if (this.#stream === stream) this.#lost(cause);
    });
    this.#reviewIdle();
  }

  /** What the other hub says first has its version; one of the first version does not say it. */
  #greet(type: number, body: Buffer): void {
    if (type !== RECEIVERS) throw new HubProtocolError('the other hub did not say how many receivers it has');
    this.#isGreeted = true;
    const version = body.length < 8 ? FIRST_HUB_PROTOCOL : Math.min(numberAt(body, 4), HUB_PROTOCOL);
    this.#output?.hello(version, this.#context.network.router, 0);
  }

  #frame(type: number, body: Buffer): void {
    if (!this.#isGreeted) this.#greet(type, body);
    switch (type) {
      case RECEIVERS:
        this.#receivers = numberAt(body, 0);
        this.targets = Math.max(1, this.#receivers);
        return this.#address.receiversChangedElsewhere();
      case CREDIT:
        this.#granted += numberAt(body, 0);
        if (this.#granted > MAX_GRANT) throw new HubProtocolError(`more credit than ${MAX_GRANT}`);
        this.#hasAsked = false;
        return this.#address.dispatch();
      case RECALL:
        this.#output?.frame(RETURNED, this.#granted);
        this.#granted = 0;
        return;
      case ACCEPTED_RANGE: {
        const first = numberAt(body, 0);
        const count = numberAt(body, 4);
        if (count > this.#unsettled.size + MAX_GRANT) throw new HubProtocolError('more outcomes than messages');
        for (let i = 0; i < count; i++) this.#settled((first + i) >>> 0, ACCEPTED);
        return this.#reviewIdle();
      }
      case OUTCOME: {
        this.#settled(numberAt(body, 0), toOutcome(body.subarray(4)) ?? RELEASED);
        return this.#reviewIdle();
      }
      case TAKEN:
        return this.#output?.taken(numberAt(body, 0), numberAt(body, 4));
      case FREED:
        return this.#output?.freed(numberAt(body, 0));
      case PLACED:
        return this.#output?.placed(numberAt(body, 0));
      case GIVEN_BACK: {
        const number = numberAt(body, 0);
        const message = this.#unsettled.get(number);
        if (!message) return;
        this.#unsettled.delete(number);
        this.#output?.stop(number, message);
        this.#address.givenBack(this, message, numberAt(body, 4) === 1);
        return this.#address.dispatchSoon();
      }
      default:
        throw new HubProtocolError(`a frame of type ${type}`);
    }
  }

  #settled(number: number, outcome: Outcome): void {
    const message = this.#unsettled.get(number);
    if (!message) return;
    this.#unsettled.delete(number);
    if (!message.isTaken) this.#output?.stop(number, message);
    this.#address.done(this, message, outcome);
  }

  /** All of it is on its way, or it was aborted. */
  #written(number: number, message: Message, wasBegun: boolean): void {
    if (!wasBegun) this.#granted++;
    if (!message.isSettled && !message.isAborted) return;
    this.#unsettled.delete(number);
    this.#address.done(this, message, ACCEPTED);
    this.#reviewIdle();
  }

  #lost(cause: unknown): void {
    if (this.#isClosed) return;
    this.#context.log.debug('a stream to another hub was lost', { address: this.#address.name, router: this.#router, cause });
    this.#disconnected();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#address.isSending) this.connect();
    }, HUB_STREAM_RETRY_MS).unref();
    // Nobody but the stream itself tells whether an address for replies is still there.
    if (this.#address.isReply) this.#receivers = 0;
    this.#address.receiversChangedElsewhere();
    this.#address.streamClosed();
  }

  #disconnected(): void {
    this.#stream = undefined;
    this.#output?.close();
    this.#output = undefined;
    this.#isGreeted = false;
    this.#granted = 0;
    this.#hasAsked = false;
    this.#receivers = undefined;
    const lost = [...this.#unsettled.values()].reverse();
    this.#unsettled.clear();
    for (const message of lost) this.#address.givenBack(this, message, true);
  }

  /** Closes the stream when nobody has needed it for a while. */
  #reviewIdle(): void {
    const isIdle = this.#unsettled.size === 0 && !this.#address.isSending && this.#stream !== undefined;
    if (!isIdle) {
      clearTimeout(this.#idle);
      this.#idle = undefined;
    } else
      this.#idle ??= setTimeout(() => {
        this.#idle = undefined;
        if (this.#unsettled.size > 0 || this.#address.isSending) return;
        this.#stream?.end();
        this.#disconnected();
        this.#address.streamClosed();
      }, HUB_STREAM_IDLE_MS).unref();
  }
}
