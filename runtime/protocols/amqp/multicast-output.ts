import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { HubContext } from './address.ts';
import { FIRST_HUB_PROTOCOL } from './hub-frames.ts';
import { HubOutput } from './hub-output.ts';
import { HUB_STREAM_IDLE_MS, HUB_STREAM_RETRY_MS, MULTICAST_TAIL_BYTES, MULTICAST_TAIL_MESSAGES } from './limits.ts';
import { Message, type Origin } from './message.ts';
import type { Outlet } from './multicast.ts';

/** A message that was sent lately, under its number. */
interface Sent {
  number: number;
  copy: Message;
}

/**
 * The other routers that have subscribers, as one outlet: one stream to all of them, and a new one whenever they change. When a stream is
 * lost, what was sent last is sent once more: the other hubs know by its number what they have. Senders wait meanwhile.
 */
export class MulticastOutput implements Outlet, Origin {
  readonly #address: string;
  readonly #context: HubContext;
  readonly #roomAgain: () => void;
  /** Numbers count from the start of this. */
  readonly #instance = randomBytes(6).toString('base64url');
  readonly #kept = { bytes: 0 };
  readonly #tail: Sent[] = [];
  #routers: readonly string[] = [];
  /** Those that have not closed, with the one for further messages. */
  readonly #streams = new Set<MulticastStream>();
  #current: MulticastStream | undefined;
  #isConnecting = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #failingSince: number | undefined;
  #generation = 0;
  #nextNumber = 0;
  #missed = 0;

  /** @param roomAgain Senders need not wait any more. */
  constructor(address: string, context: HubContext, roomAgain: () => void) {
    this.#address = address;
    this.#context = context;
    this.#roomAgain = roomAgain;
  }

  get hasRouters(): boolean {
    return this.#routers.length > 0;
  }

  get isIdle(): boolean {
    return !this.#current && !this.#isConnecting;
  }

  /** Senders wait while it connects. Where it cannot be had for long, the others are not held up. */
  get isFull(): boolean {
    if (this.#current) return this.#current.output.isBusy;
    const failing = this.#failingSince === undefined ? 0 : performance.now() - this.#failingSince;
    return this.hasRouters && failing < this.#context.subscriberPatienceMs;
  }

  /** The routers that have subscribers now. What is on its way goes to those that had. */
  setRouters(routers: readonly string[]): void {
    const sorted = routers.toSorted();
    if (sorted.join('\n') === this.#routers.join('\n')) return;
    this.#routers = sorted;
    if (sorted.length === 0) {
      this.#leave();
      this.#failingSince = undefined;
      this.#roomAgain();
    } else if (this.#current) this.#open();
  }

  /** There is a message to send. */
  connect(): void {
    if (!this.#current) this.#open();
    this.#reviewIdle();
  }

  begin(source: Message): Message | undefined {
    if (!this.#current) {
      this.#missed++;
      return undefined;
    }
    return new Message(this, source.id, source.format, true, this.#kept);
  }

  append(copy: Message, part: Buffer, isLast: boolean): void {
    copy.append(part, isLast);
    if (copy.destination !== undefined) return;
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) >>> 0;
    const sent = { number, copy };
    this.#tail.push(sent);
    while (this.#tail.length > MULTICAST_TAIL_MESSAGES || (this.#kept.bytes > MULTICAST_TAIL_BYTES && this.#tail.length > 1))
      this.#tail.shift()!.copy.forget();
    if (this.#current) this.#send(this.#current, sent);
  }

  passed(): void {
    // What the stream has not sent counts as its own (`isBusy`).
  }

  settled(): void {
    // Nobody waits for the outcome of a copy.
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#idle);
    for (const { stream } of this.#streams) stream.destroy();
  }

  #send(to: MulticastStream, { number, copy }: Sent): void {
    copy.destination = to.key;
    to.send(number, copy);
  }

  /** Opens a stream to the routers as they are now. The one before goes on until the new one is there, and then ends with its messages. */
  #open(): void {
    if (this.#isConnecting || this.#isClosed || this.#retry || !this.hasRouters) return;
    this.#isConnecting = true;
    const routers = this.#routers;
    this.#context.network.multicast(routers, this.#address).then(
      (stream) => {
        this.#isConnecting = false;
        if (this.#isClosed) {
          stream.destroy();
          return;
        }
        this.#current?.finish();
        this.#current = this.#opened(stream);
        this.#failingSince = undefined;
        this.#sendAgain(undefined);
        if (routers !== this.#routers) this.#open();
        this.#reviewIdle();
        this.#roomAgain();
      },
      (error: unknown) => {
        this.#isConnecting = false;
        this.#lost(error);
      },
    );
  }

  #opened(stream: Writable): MulticastStream {
    const generation = this.#generation;
    this.#generation = (generation + 1) >>> 0;
    const opened = new MulticastStream(stream, `stream ${generation}`);
    opened.output.hello(FIRST_HUB_PROTOCOL, `${this.#context.network.router} ${this.#instance}`, generation);
    opened.output.onRoom = this.#roomAgain;
    this.#streams.add(opened);
    let cause: Error | undefined;
    stream.on('error', (error) => (cause = error));
    stream.on('close', () => {
      this.#streams.delete(opened);
      opened.output.close();
      const isCurrent = this.#current === opened;
      if (isCurrent) this.#current = undefined;
      if (this.#isClosed || !(isCurrent || cause)) return;
      // Whatever it had may not have arrived.
      for (const { copy } of this.#tail) if (copy.destination === opened.key) copy.destination = LOST;
      if (isCurrent) this.#lost(cause);
      else if (this.#current) this.#sendAgain(this.#current);
    });
    return opened;
  }

  /** What a lost stream had goes over this one, or the current one. A message that is not kept from its start breaks off. */
  #sendAgain(stream: MulticastStream | undefined): void {
    const to = stream ?? this.#current;
    if (!to) return;
    for (const sent of this.#tail) {
      if (sent.copy.destination !== LOST) continue;
      if (sent.copy.rewind()) this.#send(to, sent);
      else sent.copy.discard();
    }
  }

  #lost(cause: unknown): void {
    if (this.#isClosed) return;
    // The first time it is tried again at once.
    const isFirst = this.#failingSince === undefined;
    this.#failingSince ??= performance.now();
    this.#context.log.debug('a stream to subscribers at other routers was lost', { address: this.#address, cause });
    if (isFirst) return this.#open();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#missed > 0)
        this.#context.log.warn('messages did not go to subscribers at other routers, which are out of reach', {
          address: this.#address,
          messages: this.#missed,
        });
      this.#missed = 0;
      this.#open();
      this.#roomAgain();
    }, HUB_STREAM_RETRY_MS).unref();
  }

  /** Nothing more is sent for now. */
  #leave(): void {
    this.#current?.finish();
    this.#current = undefined;
    for (const { copy } of this.#tail.splice(0)) copy.forget();
  }

  #reviewIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#leave();
      this.#roomAgain();
    }, HUB_STREAM_IDLE_MS).unref();
  }
}

/** The destination of what was on a stream that was lost. */
const LOST = 'lost';

/** One stream of them. */
class MulticastStream {
  readonly stream: Writable;
  readonly key: string;
  readonly output: HubOutput;
  /** Messages that have not been written whole. */
  #open = 0;
  #isFinished = false;

  constructor(stream: Writable, key: string) {
    this.stream = stream;
    this.key = key;
    const written = () => {
      this.#open--;
      this.#review();
    };
    this.output = new HubOutput(stream, written, undefined, { isSequence: true });
  }

  send(number: number, message: Message): void {
    this.#open++;
    this.output.message(number, message);
  }

  /** No further message goes over it. */
  finish(): void {
    this.#isFinished = true;
    this.#review();
  }

  #review(): void {
    if (this.#isFinished && this.#open === 0) this.output.end();
  }
}
