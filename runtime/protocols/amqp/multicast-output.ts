import type { Writable } from 'node:stream';
import type { HubContext } from './address.ts';
import { HubOutput } from './hub-output.ts';
import { HUB_STREAM_IDLE_MS, HUB_STREAM_RETRY_MS } from './limits.ts';
import { Message, type Origin } from './message.ts';
import type { Outlet } from './multicast.ts';

/** The other routers that have subscribers, as one outlet: one stream to all of them, and a new one whenever they change. */
export class MulticastOutput implements Outlet, Origin {
  readonly #address: string;
  readonly #context: HubContext;
  readonly #roomAgain: () => void;
  #routers: readonly string[] = [];
  /** Those that have not closed, with the one for further messages. */
  readonly #streams = new Set<MulticastStream>();
  #current: MulticastStream | undefined;
  #isConnecting = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
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

  /** Senders wait while it connects. While it cannot be had the others are not held up. */
  get isFull(): boolean {
    return this.hasRouters && (this.#current ? this.#current.output.isBusy : !this.#retry);
  }

  /** The routers that have subscribers now. What is on its way goes to those that had. */
  setRouters(routers: readonly string[]): void {
    const sorted = routers.toSorted();
    if (sorted.join('\n') === this.#routers.join('\n')) return;
    this.#routers = sorted;
    if (this.#current || sorted.length === 0) this.#renew();
  }

  /** There is a message to send. */
  connect(): void {
    if (!this.#current) this.#connect();
    this.#reviewIdle();
  }

  begin(source: Message): Message | undefined {
    return new Message(this, source.id, source.format, true);
  }

  append(copy: Message, part: Buffer, isLast: boolean): void {
    copy.append(part, isLast);
    // The stream that has its beginning gets all of it.
    if (copy.destination !== undefined) return;
    if (!this.#current) {
      this.#missed++;
      copy.destination = 'nobody';
      return copy.discard();
    }
    copy.destination = this.#current.key;
    this.#current.send(this.#nextNumber, copy);
    this.#nextNumber = (this.#nextNumber + 1) >>> 0;
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

  /** Opens a stream to the routers as they are now. The one before goes on until the new one is there, and then ends with its messages. */
  #renew(): void {
    if (this.#routers.length === 0) {
      this.#current?.finish();
      this.#current = undefined;
      this.#roomAgain();
    } else this.#connect();
  }

  #connect(): void {
    if (this.#isConnecting || this.#isClosed || this.#retry || !this.hasRouters) return;
    this.#isConnecting = true;
    const routers = this.#routers;
    this.#context.network.multicast(routers, this.#address).then(
      (stream) => {
        this.#isConnecting = false;
        if (this.#isClosed) return void stream.destroy();
        this.#current?.finish();
        this.#current = this.#opened(stream);
        if (routers !== this.#routers) this.#renew();
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
    opened.output.hello(this.#context.network.router, generation);
    this.#streams.add(opened);
    opened.output.onRoom = this.#roomAgain;
    stream.on('error', (error) => {
      if (this.#current === opened) this.#lost(error);
    });
    stream.on('close', () => {
      this.#streams.delete(opened);
      for (const message of opened.output.close()) message.discard();
      if (this.#current === opened) this.#lost(undefined);
    });
    return opened;
  }

  #lost(cause: unknown): void {
    this.#current = undefined;
    if (this.#isClosed) return;
    this.#context.log.warn('a stream to subscribers at other routers was lost; what was on it may be lost', {
      address: this.#address,
      cause,
    });
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#missed > 0) this.#context.log.warn('messages were not sent', { address: this.#address, messages: this.#missed });
      this.#missed = 0;
      this.#connect();
    }, HUB_STREAM_RETRY_MS).unref();
    this.#roomAgain();
  }

  #reviewIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#current?.finish();
      this.#current = undefined;
      this.#roomAgain();
    }, HUB_STREAM_IDLE_MS).unref();
  }
}

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
