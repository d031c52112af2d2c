import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../../log.ts';
import { HttpClients } from './http-client.ts';
import type { ProxyNetwork } from './reach.ts';
import { SOCKS5_VERSION } from './socks5.ts';
import { serveSocks } from './socks-client.ts';

/** Never anywhere else: whoever reaches the proxy reaches what this computer reaches. */
export const PROXY_HOST = '127.0.0.1';
/** A client says within this what it wants. Milliseconds. */
const HANDSHAKE_MS = 30_000;
/** At once; further ones are turned away. */
const MAX_CLIENTS = 4096;

/**
 * A SOCKS5 and HTTP proxy on one port of this computer: a client's first byte tells which. It leads to the network's services by their
 * names, and everywhere else as if it were not there.
 */
export class Proxy {
  readonly #server: Server;
  readonly #http: HttpClients;
  readonly #network: ProxyNetwork;
  readonly #log: Log;
  readonly #clients = new Map<Duplex, Client>();
  #closing = false;

  private constructor(network: ProxyNetwork, log: Log) {
    this.#network = network;
    this.#log = log;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#greet(client));
    this.#server.maxConnections = MAX_CLIENTS;
    this.#http = new HttpClients(network, { busy: (client) => this.#busy(client), idle: (client) => this.#idle(client) }, log);
  }

  /** Opens it at a port, 0 for one that the system chooses. Rejects with the system's error where it cannot be had. */
  static open(port: number, network: ProxyNetwork, log: Log): Promise<Proxy> {
    const proxy = new Proxy(network, log);
    return new Promise((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen({ host: PROXY_HOST, port, backlog: 1024 }, () => {
        proxy.#server.off('error', reject);
        resolve(proxy);
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no further clients, and ends those that want nothing at the moment. What is under way goes on. */
  close(): void {
    this.#closing = true;
    this.#server.close();
    for (const [client, { isBusy }] of this.#clients) if (!isBusy) client.destroy();
  }

  /** Ends what is under way, too. */
  destroy(): void {
    this.close();
    for (const client of this.#clients.keys()) client.destroy();
  }

  #greet(client: Socket): void {
    const limit = setTimeout(() => client.destroy(), HANDSHAKE_MS);
    this.#clients.set(client, { isBusy: false, limit });
    client.on('error', () => {});
    client.once('close', () => {
      clearTimeout(limit);
      this.#clients.delete(client);
    });
    const gaveUp = () => client.destroy();
    client.once('end', gaveUp);
    client.once('data', (first: Buffer) => {
      client.pause().off('end', gaveUp);
      client.unshift(first);
      if (first[0] !== SOCKS5_VERSION) return this.#http.take(client);
      return serveSocks(client, { network: this.#network, log: this.#log, settled: () => this.#busy(client) });
    });
  }

  #busy(client: Duplex): void {
    const known = this.#clients.get(client);
    if (!known) return;
    clearTimeout(known.limit);
    known.isBusy = true;
  }

  #idle(client: Duplex): void {
    const known = this.#clients.get(client);
    if (!known) return;
    known.isBusy = false;
    if (this.#closing) client.end();
  }
}

interface Client {
  /** Something of it is under way. */
  isBusy: boolean;
  /** Ends it where it does not say what it wants. */
  limit: NodeJS.Timeout;
}
