import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { type Log, sparing } from '../../log.ts';
import { Balancer } from '../../routing/balancer.ts';
import type { Address, HubContext } from './address.ts';
import { distributionOf, replyRouter } from './addresses.ts';
import { AnycastAddress } from './anycast.ts';
import { Client } from './client.ts';
import { MAX_ADDRESSES, MESSAGE_STALL_MS, SUBSCRIBER_PATIENCE_MS } from './limits.ts';
import type { MessageNetwork, NetworkHub } from './message-network.ts';
import { MulticastAddress } from './multicast.ts';

export interface HubOptions {
  network: MessageNetwork;
  log: Log;
  /** Default `SUBSCRIBER_PATIENCE_MS`. */
  subscriberPatienceMs?: number;
  /** Default `MESSAGE_STALL_MS`. */
  messageStallMs?: number;
  /** Default `MAX_ADDRESSES`. */
  maxAddresses?: number;
}

/** How the clients of a listener are taken. */
export interface ClientOptions {
  /** The only address that they may use; undefined for any. */
  address?: string | undefined;
  /** Clients that insist on a password are let in as well: where nobody else hears it. */
  takesPasswords: boolean;
}

/** Where AMQP's messages meet the network: one for each router, shared by all its listeners and connectors of type amqp. */
export class AmqpHub implements NetworkHub {
  readonly #context: HubContext;
  readonly #addresses = new Map<string, Address>();
  readonly #maxAddresses: number;
  readonly #clients = new Set<Client>();
  #isClosed = false;

  constructor({
    network,
    log,
    subscriberPatienceMs = SUBSCRIBER_PATIENCE_MS,
    messageStallMs = MESSAGE_STALL_MS,
    maxAddresses = MAX_ADDRESSES,
  }: HubOptions) {
    this.#maxAddresses = maxAddresses;
    this.#context = {
      network,
      balancer: new Balancer(),
      kept: { bytes: 0 },
      log: sparing(log),
      subscriberPatienceMs,
      messageStallMs,
      unused: (address) => this.#unused(address),
    };
    network.onChange(() => {
      for (const address of this.#addresses.values()) address.review();
    });
  }

  /** This router's id. */
  get router(): string {
    return this.#context.network.router;
  }

  /** The addresses that somebody has to do with at this router. */
  get addresses(): string[] {
    return [...this.#addresses.keys()];
  }

  /** Whether a client may receive from an address of that name. */
  hasRoomFor(name: string): boolean {
    return this.#addresses.has(name) || this.#addresses.size < this.#maxAddresses;
  }

  /** Takes a client that has connected. Its listener may close it. */
  serve(socket: Socket, options: ClientOptions): Client {
    const client = new Client(socket, this, this.#context, options, () => this.#clients.delete(client));
    this.#clients.add(client);
    if (this.#isClosed) client.close();
    return client;
  }

  accept(stream: Duplex | Readable, address: string): void {
    if (this.#isClosed) stream.destroy();
    else this.address(address).accept(stream);
  }

  /** The address of that name; made where nobody used it so far. */
  address(name: string): Address {
    let address = this.#addresses.get(name);
    if (!address) {
      const distribution = replyRouter(name) === undefined ? distributionOf(name) : 'balanced';
      address =
        distribution === 'multicast'
          ? new MulticastAddress(name, this.#context)
          : new AnycastAddress(name, distribution, this.#context);
      this.#addresses.set(name, address);
    }
    return address;
  }

  /** Ends: clients are told that it was not their doing, and other hubs find their streams closed. */
  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients) client.close();
    for (const address of this.#addresses.values()) address.close();
    this.#addresses.clear();
  }

  /** Looked at when the turn ends: whoever made the address may be about to use it. */
  #unused(address: Address): void {
    process.nextTick(() => {
      if (!address.isUnused || this.#addresses.get(address.name) !== address) return;
      this.#addresses.delete(address.name);
      this.#context.balancer.forget(address.name);
      address.close();
    });
  }
}
