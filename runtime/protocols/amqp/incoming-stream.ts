import type { Duplex } from 'node:stream';
import type { AnycastAddress } from './anycast.ts';
import {
  ACCEPTED_RANGE,
  CREDIT,
  FREED,
  GIVEN_BACK,
  HUB_PROTOCOL,
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
import { HubInput, type HubInputUser } from './hub-input.ts';
import { HubOutput } from './hub-output.ts';
import { MESSAGE_WINDOW_BYTES } from './limits.ts';
import type { Message, Origin } from './message.ts';
import { ACCEPTED, type Outcome } from './wire/delivery-state.ts';

/** Another hub that sends to receivers here. It sends no more messages than it was granted. */
export class IncomingStream implements Origin {
  /** Messages that it may still send. */
  granted = 0;
  /** It has messages, and no credit. */
  isNeedy = false;
  /** It asked, and was granted some; what it has is on its way. */
  isPromised = false;
  readonly #stream: Duplex;
  readonly #address: AnycastAddress;
  readonly #output: HubOutput;
  readonly #input: HubInput;
  /** What was taken of messages of which more is to come, and the other hub does not know yet. Bytes. */
  readonly #taken = new Map<Message, number>();
  #isRecalled = false;
  /** Accepted ones that were not told yet: the first, and how many follow one another. */
  #firstAccepted = 0;
  #accepted = 0;

  constructor(stream: Duplex, address: AnycastAddress) {
    this.#stream = stream;
    this.#address = address;
    this.#output = new HubOutput(
      stream,
      () => {},
      () => this.#tellAccepted(),
    );
    const user: HubInputUser = {
      message: (message) => this.#message(message),
      frame: (type, body) => this.#frame(type, body),
      closed: () => this.#closed(),
    };
    this.#input = new HubInput(stream, this, user, { isSequence: false });
    this.tellReceivers(address.receivers);
  }

  tellReceivers(receivers: number): void {
    this.#output.frame(RECEIVERS, receivers, HUB_PROTOCOL);
  }

  /** Promises it credit. @returns How much. */
  grant(credit: number): number {
    this.#output.frame(CREDIT, credit);
    this.granted += credit;
    this.isPromised = this.isNeedy;
    this.isNeedy = false;
    return credit;
  }

  /** Asks for what it does not use. */
  recall(): void {
    if (this.#isRecalled || this.granted === 0) return;
    this.#isRecalled = true;
    this.#output.frame(RECALL);
  }

  /** Gives back a message that no receiver here takes. False where its hub does not wait to hear. */
  giveBack(message: Message, wasSeen: boolean): boolean {
    if (message.isSettled) return false;
    this.#input.forget(message);
    this.#taken.delete(message);
    message.discard();
    this.#output.frame(GIVEN_BACK, message.id, wasSeen ? 1 : 0);
    return true;
  }

  close(): void {
    this.#stream.destroy();
  }

  placed(message: Message): void {
    const { window } = this.#input;
    if (!window) return;
    if (window.placed(message)) return this.#output.frame(PLACED, message.id);
    const freed = window.takeFreed();
    if (freed > 0) this.#output.frame(FREED, freed);
  }

  passed(bytes: number, message: Message): void {
    this.#input.passed(bytes);
    if (!this.#input.expects(message)) return void this.#taken.delete(message);
    const taken = (this.#taken.get(message) ?? 0) + bytes;
    this.#taken.set(message, taken < MESSAGE_WINDOW_BYTES / 4 ? taken : 0);
    if (taken >= MESSAGE_WINDOW_BYTES / 4) this.#output.frame(TAKEN, message.id, taken);
  }

  settled(message: Message, outcome: Outcome): void {
    if (message.isSettled || message.isAborted) return;
    this.#input.forget(message);
    this.#taken.delete(message);
    if (outcome !== ACCEPTED) return this.#output.bytes(OUTCOME, message.id, outcome.state);
    if (this.#accepted > 0 && (this.#firstAccepted + this.#accepted) >>> 0 !== message.id) this.#tellAccepted();
    if (this.#accepted === 0) this.#firstAccepted = message.id;
    this.#accepted++;
    this.#output.flushSoon();
  }

  #tellAccepted(): void {
    if (this.#accepted === 0) return;
    const count = this.#accepted;
    this.#accepted = 0;
    this.#output.frame(ACCEPTED_RANGE, this.#firstAccepted, count);
  }

  #frame(type: number, body: Buffer): void {
    switch (type) {
      case NEED:
        this.isNeedy = true;
        return this.#address.dispatch();
      case RETURNED:
        this.granted -= numberAt(body, 0);
        if (this.granted < 0) throw new HubProtocolError('more credit came back than there was');
        this.#isRecalled = false;
        this.isPromised = false;
        return this.#address.dispatch();
      default:
        throw new HubProtocolError(`a frame of type ${type}`);
    }
  }

  #message(message: Message): void {
    if (this.granted === 0) throw new HubProtocolError('a message without credit');
    this.granted--;
    this.isPromised = false;
    this.#address.arrived(message);
  }

  #closed(): void {
    this.granted = 0;
    this.#taken.clear();
    this.#address.peerClosed(this);
  }
}
