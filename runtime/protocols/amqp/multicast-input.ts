import type { Readable } from 'node:stream';
import { HubProtocolError } from './hub-frames.ts';
import { HubInput, type HubInputUser } from './hub-input.ts';
import type { Message, Origin } from './message.ts';
import type { MulticastAddress } from './multicast.ts';

/** What the hub of a sender sends to all subscribers of an address. Its streams are read one after another, so messages keep their order. */
export class MulticastInput implements Origin {
  /** The hub that sends, and its start: messages of one have numbers of their own. */
  source: string | undefined;
  #generation = 0;
  readonly #stream: Readable;
  readonly #address: MulticastAddress;
  readonly #input: HubInput;
  readonly #earlier: (source: string) => MulticastInput[];
  /** What came before its turn. */
  #isWaiting = false;
  readonly #messages: Message[] = [];

  /** @param earlier The streams of a source that have not ended. */
  constructor(stream: Readable, address: MulticastAddress, earlier: (source: string) => MulticastInput[]) {
    this.#stream = stream;
    this.#address = address;
    this.#earlier = earlier;
    const user: HubInputUser = {
      message: (message) => {
        if (this.#isWaiting) this.#messages.push(message);
        else this.#arrived(message);
      },
      frame: (type) => {
        throw new HubProtocolError(`a frame of type ${type}`);
      },
      hello: (source, generation) => {
        this.source = source;
        this.#generation = generation;
        this.follow();
      },
      closed: () => {
        this.#isWaiting = false;
        this.#handOn();
        address.inputClosed(this);
      },
    };
    this.#input = new HubInput(stream, this, user, { isSequence: true });
  }

  /** Waits for the streams that were opened before it, or does so no longer. */
  follow(): void {
    const { source } = this;
    if (source === undefined) return;
    this.#isWaiting = this.#earlier(source).some((other) => other !== this && isEarlier(other.#generation, this.#generation));
    this.#handOn();
  }

  close(): void {
    this.#stream.destroy();
  }

  passed(bytes: number): void {
    this.#input.passed(bytes);
  }

  settled(message: Message): void {
    this.#input.forget(message);
  }

  #handOn(): void {
    if (!this.#isWaiting) for (const message of this.#messages.splice(0)) this.#arrived(message);
  }

  #arrived(message: Message): void {
    if (this.#address.isKnown(this.source ?? '', message)) message.discard();
    else this.#address.arrived(message);
  }
}

/** Generations go round at 2³². */
function isEarlier(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}
