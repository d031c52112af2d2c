import { connect, type Socket } from 'node:net';
import type { Log } from '../../log.ts';
import { sentence } from '../../errors.ts';
import { Connection, type ConnectionUser } from './endpoint/connection.ts';
import { ClientHandshake, type Credentials } from './endpoint/handshake.ts';
import type { IncomingLink } from './endpoint/incoming-link.ts';
import { OutgoingLink } from './endpoint/outgoing-link.ts';
import type { AmqpHub } from './hub.ts';
import { MAX_SERVER_RETRY_MS, SERVER_RETRY_MS } from './limits.ts';
import type { AmqpError } from './wire/amqp-error.ts';
import { SETTLE } from './wire/performatives.ts';

export interface AmqpServerOptions {
  hub: AmqpHub;
  log: Log;
  /** Whose messages the server gets, and its own name for where they go. */
  address: string;
  host: string;
  port: number;
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
  #lastError: string | undefined;

  constructor(options: AmqpServerOptions) {
    this.#options = options;
    this.#connect();
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

  #connect(): void {
    const { host, port, hub, credentials } = this.#options;
    const socket: Socket = connect({ host, port, noDelay: true });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.#lastError = 'it refuses connections';
    });
    this.#connection = new Connection({
      socket,
      container: hub.router,
      hostname: host,
      handshake: new ClientHandshake(credentials),
      user: this,
    });
  }

  /** It wants no more messages over this link: it is asked again later. */
  #linkClosed(error: AmqpError | undefined): void {
    this.#lost(error);
    this.#connection?.close();
  }

  #lost(error: AmqpError | undefined): void {
    this.#changed(false);
    if (this.#isClosed || this.#retry) return;
    const { address, host, port, log } = this.#options;
    const why = this.#lastError ?? (error ? sentence(error) : 'it closed the connection');
    this.#lastError = undefined;
    if (why !== this.#problem) log.warn(`the AMQP server ${host}:${port} for ${address} is not there: ${why}`);
    this.#problem = why;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#connect();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_SERVER_RETRY_MS);
  }

  #changed(isReady: boolean): void {
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    this.#options.changed?.();
  }
}
