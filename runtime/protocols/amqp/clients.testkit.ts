import { once } from 'node:events';
import type { Socket } from 'node:net';
import rhea, {
  type Connection,
  type Delivery,
  type Message,
  type Receiver,
  type ReceiverOptions,
  type Sender,
  type SenderOptions,
} from 'rhea';
import { silentLog } from '../../log.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener, Way } from '../listener.ts';
import { openAmqpListener } from './amqp-listener.ts';
import { AmqpHub, type HubOptions } from './hub.ts';
import { MemoryNetwork, type MemoryRouter } from './memory-network.testkit.ts';

/** Hubs of the test, each with a listener on loopback, and rhea clients of theirs. */
export class Hubs {
  readonly network = new MemoryNetwork();
  readonly #hubs = new Map<string, { hub: AmqpHub; router: MemoryRouter; listener: ProtocolListener }>();
  readonly #clients: RheaClient[] = [];

  static async start(...names: string[]): Promise<Hubs> {
    const hubs = new Hubs();
    for (const name of names) await hubs.add(name);
    return hubs;
  }

  async add(name: string, cost = 1, options: Partial<HubOptions> = {}): Promise<void> {
    const router = this.network.router(name, cost);
    const hub = new AmqpHub({ network: router, log: silentLog, ...options });
    router.hub = hub;
    this.#hubs.set(name, { hub, router, listener: await openAmqpListener('127.0.0.1', 0, way(''), hub) });
  }

  hub(name: string): AmqpHub {
    return this.#hubs.get(name)!.hub;
  }

  router(name: string): MemoryRouter {
    return this.#hubs.get(name)!.router;
  }

  port(name: string): number {
    return this.#hubs.get(name)!.listener.port;
  }

  listener(name: string): ProtocolListener {
    return this.#hubs.get(name)!.listener;
  }

  /** A client of this hub. */
  async client(name: string): Promise<RheaClient> {
    return this.clientAt(this.port(name));
  }

  async clientAt(port: number): Promise<RheaClient> {
    const client = await RheaClient.connect(port);
    this.#clients.push(client);
    return client;
  }

  /** Until this router knows so many others with receivers for the address. */
  async known(name: string, address: string, count: number): Promise<void> {
    await until(`${count} routers with receivers for ${address}`, () => this.router(name).destinations(address).length === count);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.cut();
    for (const { hub, listener } of this.#hubs.values()) {
      listener.close();
      hub.close();
    }
  }
}

/** The way of a listener of the test. @param address Empty for any. */
export function way(address: string): Way {
  const never = () => {
    throw new Error('AMQP goes by the hub');
  };
  return { address, log: silentLog, count: () => {}, join: never, attempts: never, fanOut: never, copies: never, flow: never };
}

export interface Received {
  message: Message;
  delivery: Delivery;
}

export class RheaClient {
  readonly connection: Connection;

  private constructor(connection: Connection) {
    this.connection = connection;
  }

  static async connect(port: number, options: object = {}): Promise<RheaClient> {
    const container = rhea.create_container();
    // Without somebody who listens rhea makes them uncaught errors, or prints them.
    for (const name of [
      'error',
      'disconnected',
      'connection_error',
      'protocol_error',
      'session_error',
      'sender_error',
      'receiver_error',
    ])
      container.on(name, () => {});
    const connection = container.connect({ port, host: '127.0.0.1', reconnect: false, ...options });
    await once(connection, 'connection_open');
    return new RheaClient(connection);
  }

  async receiver(source: ReceiverOptions['source'], options: ReceiverOptions = {}): Promise<RheaReceiver> {
    const session = this.connection.create_session();
    session.open();
    const link = session.open_receiver({ source, ...options });
    const receiver = new RheaReceiver(link);
    await once(link, 'receiver_open');
    return receiver;
  }

  /** Resolves when it is attached; credit may come later. */
  async sender(target: SenderOptions['target'] | null, options: SenderOptions = {}): Promise<RheaSender> {
    const session = this.connection.create_session();
    session.open();
    const link = session.open_sender({ target: target ?? {}, treat_modified_as_released: false, ...options });
    const sender = new RheaSender(link);
    await once(link, 'sender_open');
    return sender;
  }

  async close(): Promise<void> {
    this.connection.close();
    await once(this.connection, 'connection_close');
  }

  /** Ends without a word. */
  cut(): void {
    // An error is what rhea notices; else its timers would keep the process alive.
    (this.connection as unknown as { socket: Socket }).socket.destroy(new Error('cut'));
  }
}

export class RheaReceiver {
  readonly link: Receiver;
  readonly received: Received[] = [];

  constructor(link: Receiver) {
    this.link = link;
    link.on('message', ({ message, delivery }) => this.received.push({ message: message!, delivery: delivery! }));
  }

  get address(): string {
    return (this.link.source as { address: string }).address;
  }

  get bodies(): unknown[] {
    return this.received.map(({ message }) => message.body as unknown);
  }

  async count(count: number): Promise<Received[]> {
    await until(
      () => `${count} messages; there are ${this.received.length}`,
      () => this.received.length >= count,
    );
    return this.received;
  }
}

export class RheaSender {
  readonly link: Sender;
  /** Delivery → how it ended. */
  readonly #outcomes = new Map<Delivery, { kind: string; state: unknown }>();

  constructor(link: Sender) {
    this.link = link;
    for (const kind of ['accepted', 'rejected', 'released', 'modified'] as const)
      link.on(kind, ({ delivery }) => {
        if (delivery && !this.#outcomes.has(delivery)) this.#outcomes.set(delivery, { kind, state: delivery.remote_state });
      });
  }

  async credit(): Promise<void> {
    await until('credit', () => this.link.sendable());
  }

  async send(message: Message): Promise<Delivery> {
    await until('credit', () => this.link.sendable());
    return this.link.send(message);
  }

  async outcome(delivery: Delivery): Promise<{ kind: string; state: unknown }> {
    return until('an outcome', () => this.#outcomes.get(delivery));
  }

  async sendAndHear(message: Message): Promise<string> {
    return (await this.outcome(await this.send(message))).kind;
  }
}
