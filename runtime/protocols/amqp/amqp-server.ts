import type { Log } from '../../log.ts';
import { sentence } from '../../errors.ts';
import type { Target } from '../../site/resources.ts';
import { connectToTarget } from '../tcp/tcp-target.ts';
import type { ClientTls } from '../tls/client-tls.ts';
import { Connection, type ConnectionUser } from './endpoint/connection.ts';
import { ClientHandshake, type Credentials } from './endpoint/handshake.ts';
import type { IncomingLink } from './endpoint/incoming-link.ts';
import { OutgoingLink } from './endpoint/outgoing-link.ts';
import { StreamError } from '../../link/reason.ts';
import type { AmqpHub } from './hub.ts';
import { MAX_SERVER_RETRY_MS, SERVER_RETRY_MS } from './limits.ts';
import type { AmqpError } from './wire/amqp-error.ts';
import { SETTLE } from './wire/performatives.ts';

export interface AmqpServerOptions {
  hub: AmqpHub;
  log: Log;
  /** Whose messages the server gets, and its own name for where they go. */
  address: string;
  target: Target;
  /** It speaks TLS. */
  tls?: ClientTls | undefined;
  /** Default: anonymous. */
  credentials?: Credentials | undefined;
  /** Called whenever `isReady` changed. */
  changed?: () => void;
}

/**
 * An AMQP server, as a broker, behind a connector: it gets the address's messages as a receiver here, with the credit that it gives.
 * Its connection is kept, and made again when it is lost.
 */
export class AmqpServer implements ConnectionUser {
  readonly #options: AmqpServerOptions;
  #connection: Connection | undefined;
  #retryMs = SERVER_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #isReady = false;
  #isClosed = false;
  /** Said once, until it changes. */
  #problem: string | undefined;

  constructor(options: AmqpServerOptions) {
    this.#options = options;
    void this.#connect();
  }

  /** Whether it takes messages. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why it takes none. */
  get problem(): string | undefined {
    return this.#problem;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
  }

  opened(): void {
    const { address, hub } = this.#options;
    const terminus = {
      durable: undefined,
      expiryPolicy: undefined,
      timeout: undefined,
      dynamic: false,
      capabilities: undefined,
      outcomes: undefined,
    };
    const link = this.#connection?.beginSession().attachSender({
      name: `${hub.router} ${address}`,
      source: { address, ...terminus },
      target: { address, ...terminus },
      senderSettles: SETTLE.mixed,
    });
    if (link) link.onClosed = (error) => this.#linkClosed(error);
  }

  attached(link: IncomingLink | OutgoingLink): void {
    // It attaches nothing of its own that this side asked for.
    if (!(link instanceof OutgoingLink) || !link.isOurs) return;
    const { address, hub } = this.#options;
    this.#retryMs = SERVER_RETRY_MS;
    this.#problem = undefined;
    hub.address(address).addReceiver(link);
    this.#changed(true);
  }

  closed(error: AmqpError | undefined): void {
    this.#lost(error);
  }

  async #connect(): Promise<void> {
    const { target, tls, hub, credentials } = this.#options;
    try {
      const socket = await connectToTarget(target, { ...(tls && { tls }) });
      if (this.#isClosed) {
        socket.destroy();
        return;
      }
      // It was made half open; AMQP has no use for that.
      socket.once('end', () => socket.end());
      const hostname = tls?.serverName ?? target.host;
      const handshake = new ClientHandshake(credentials);
      this.#connection = new Connection({ socket, container: hub.router, hostname, handshake, user: this });
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#lost(error);
    }
  }

  /** It wants no more messages over this link: it is asked again later. */
  #linkClosed(error: AmqpError | undefined): void {
    this.#lost(error);
    this.#connection?.close();
  }

  #lost(error: AmqpError | StreamError | undefined): void {
    this.#changed(false);
    if (this.#isClosed || this.#retry) return;
    const { address, target, log } = this.#options;
    const why = error ? sentence(error) : `${target.name} closed the connection`;
    if (why !== this.#problem) log.warn(`the AMQP server for ${address} is not there: ${why}`);
    this.#problem = why;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#connect();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_SERVER_RETRY_MS);
  }

  #changed(isReady: boolean): void {
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    this.#options.changed?.();
  }
}
