import type { Duplex } from 'node:stream';
import type { ListenerStatus } from '../api/types.ts';
import { StreamError } from '../link/reason.ts';
import type { Log } from '../log.ts';
import { openAmqpListener } from '../protocols/amqp/amqp-listener.ts';
import type { ClientInfo } from '../protocols/client-info.ts';
import type { Attempts, FanOut, Flow, Joined, ProtocolListener, Server, Way } from '../protocols/listener.ts';
import type { ServerTls } from '../protocols/tls/server-tls.ts';
import { addressesOf, AddressTurns } from '../routing/address-choice.ts';
import type { RequestTraits } from '../routing/request-rule.ts';
import type { ListenerConfig } from './config.ts';
import { openListener } from './open-listener.ts';
import { Rate } from './rate.ts';
import type { Router } from './router.ts';

/** How long after a port could not be had it is tried again. Milliseconds. */
const RETRY_PORT_MS = 3000;

/** The places where this site's clients connect. A socket is open only while something offers its address. */
export class Listeners {
  readonly #router: Router;
  readonly #log: Log;
  readonly #changed: () => void;
  #listeners = new Map<string, GatedListener>();

  constructor(router: Router, options: { log: Log; changed: () => void }) {
    this.#router = router;
    this.#log = options.log;
    this.#changed = options.changed;
  }

  /** Brings the listeners to this list. One that did not change keeps its socket. */
  set(configs: readonly ListenerConfig[]): void {
    const next = new Map<string, GatedListener>();
    for (const config of configs) {
      const known = this.#listeners.get(config.name);
      if (known?.isFor(config)) {
        this.#listeners.delete(config.name);
        known.setTls(config.tls);
        next.set(config.name, known);
      } else next.set(config.name, new GatedListener(config, this.#router, this.#log, this.#changed));
    }
    for (const gone of this.#listeners.values()) gone.close();
    this.#listeners = next;
    this.review();
  }

  /** Opens and closes sockets after services changed. */
  review(): void {
    for (const listener of this.#listeners.values()) void listener.review();
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
  }

  /** Looks how much came in the last so many seconds. Whether that is another rate at any of them. */
  takeRates(seconds: number): boolean {
    let isNews = false;
    for (const listener of this.#listeners.values()) if (listener.takeRate(seconds)) isNews = true;
    return isNews;
  }

  status(): ListenerStatus[] {
    return [...this.#listeners.values()].map((listener) => listener.status());
  }
}

class GatedListener implements Way {
  readonly #config: ListenerConfig;
  readonly #router: Router;
  readonly log: Log;
  readonly #changed: () => void;
  #socket: ProtocolListener | undefined;
  #opening = false;
  #closed = false;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Where the system chose the port, it is asked for the same again. */
  #port: number;
  #connections = 0;
  readonly #totals = { connections: 0, requests: 0, unserved: 0 };
  readonly #rate = new Rate();
  readonly #turns: AddressTurns | undefined;
  #tls: ServerTls | undefined;

  constructor(config: ListenerConfig, router: Router, log: Log, changed: () => void) {
    this.#config = config;
    this.#router = router;
    this.log = log;
    this.#changed = changed;
    this.#port = config.port;
    this.#tls = config.tls;
    this.#turns = config.choice && new AddressTurns(config.choice);
  }

  /** Whether its socket can stay: other certificates are no reason to close it. */
  isFor(config: ListenerConfig): boolean {
    return socketOf(config) === socketOf(this.#config);
  }

  /** From the next client on. */
  setTls(tls: ServerTls | undefined): void {
    if (JSON.stringify(tls) !== JSON.stringify(this.#tls)) this.#tls = tls;
  }

  async review(): Promise<void> {
    // While it waits to try again, changes elsewhere are no reason to try.
    if (this.#opening || this.#retry) return;
    const wanted = this.#isWanted();
    if (!wanted && (this.#socket || this.#problem)) {
      this.#socket?.close();
      this.#socket = undefined;
      this.#problem = undefined;
      this.#changed();
    }
    if (wanted && !this.#socket) await this.#open();
  }

  close(): void {
    this.#closed = true;
    for (const address of this.#addresses()) this.#router.forget(address);
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#socket = undefined;
  }

  status(): ListenerStatus {
    const { name, address, type, host, servicePort, source } = this.#config;
    const { connections, requests, unserved } = this.#totals;
    const { perSecond } = this.#rate;
    const message = this.#problem ?? (type === 'amqp' ? undefined : this.#router.portMismatch(address, servicePort));
    return {
      name,
      address,
      type,
      host,
      port: this.#port,
      servicePort,
      state: this.#problem ? 'failed' : this.#socket ? 'open' : 'closed',
      ...(message && { message }),
      source,
      connections: this.#connections,
      totals: { connections, unserved, ...(this.#countsRequests && { requests }) },
      ...(perSecond !== undefined && { perSecond }),
    };
  }

  /** Whether the rate of its requests, or connections, is another one now. */
  takeRate(seconds: number): boolean {
    const { requests, connections } = this.#totals;
    return this.#rate.take(this.#countsRequests ? requests : connections, seconds);
  }

  get address(): string {
    return this.#config.address;
  }

  get servicePort(): number {
    return this.#config.servicePort;
  }

  get tls(): ServerTls | undefined {
    return this.#tls;
  }

  get idleMs(): number | undefined {
    return this.#config.idleMs;
  }

  count(client: Duplex): void {
    this.#connections++;
    this.#totals.connections++;
    client.once('close', () => this.#connections--);
  }

  /** Of several addresses the one whose turn it is; where it refuses, the next. */
  async join(client: Duplex, info: ClientInfo): Promise<Joined> {
    const { servicePort, distribution } = this.#config;
    let last: StreamError | undefined;
    for (const each of this.#turn())
      try {
        return await this.#router.join(client, { address: each, port: servicePort, ...info }, distribution);
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        last = error;
      }
    this.#totals.unserved++;
    throw last ?? new StreamError({ code: 'unreachable', message: `nothing offers ${this.address}` });
  }

  attempts(request?: RequestTraits): Attempts {
    const { servicePort, distribution: preferred } = this.#config;
    const addresses = this.#turn();
    const tried = new Set<string>();
    let isUnserved = false;
    this.#totals.requests++;
    return {
      next: () => {
        for (const each of addresses) {
          const server = this.#router.nextServer({ address: each, port: servicePort, request, preferred }, tried);
          if (!server) continue;
          tried.add(server.id);
          return server;
        }
        if (!isUnserved) this.#totals.unserved++;
        isUnserved = true;
        return undefined;
      },
    };
  }

  fanOut(): FanOut | undefined {
    return this.#router.fanOut(this.address, this.#config.servicePort);
  }

  copies(request: RequestTraits): Server[] {
    return this.#addresses().flatMap((address) => this.#router.copies(address, this.#config.servicePort, request));
  }

  flow(answer: (datagram: Buffer) => void): Flow {
    const [address = this.address] = this.#turn();
    const flow = this.#router.flows.open(address, this.#config.servicePort, answer);
    this.#connections++;
    this.#totals.connections++;
    return {
      send: (datagram) => flow.send(datagram),
      close: () => {
        this.#connections--;
        flow.close();
      },
    };
  }

  #listen(host: string): Promise<ProtocolListener> {
    const { type } = this.#config;
    if (type === 'amqp') return openAmqpListener(host, this.#port, this, this.#router.amqp);
    return openListener[type](host, this.#port, this);
  }

  get #countsRequests(): boolean {
    return this.#config.type === 'http' || this.#config.type === 'http2';
  }

  #isWanted(): boolean {
    if (this.#closed) return false;
    // Whoever receives from an address comes before anybody can be there to send to.
    if (this.#config.type === 'amqp') return true;
    return this.#addresses().some((address) => this.#isOffered(address));
  }

  async #open(): Promise<void> {
    const { host, name } = this.#config;
    this.#opening = true;
    let isNews = true;
    try {
      this.#socket = await this.#listen(host);
      this.#port = this.#socket.port;
      this.#problem = undefined;
    } catch (error) {
      if (this.#config.orAnyPort && this.#port !== 0) {
        this.#port = 0;
        this.#opening = false;
        return this.#open();
      }
      const problem = portProblem(error as NodeJS.ErrnoException, host, this.#port);
      isNews = problem !== this.#problem;
      if (isNews) this.log.warn(`listener ${name}: ${problem}`);
      this.#problem = problem;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        void this.review();
      }, RETRY_PORT_MS).unref();
    }
    this.#opening = false;
    if (isNews) this.#changed();
    // What happened while the socket was being opened.
    if (this.#socket && !this.#isWanted()) {
      this.#socket.close();
      this.#socket = undefined;
    }
  }

  /** The addresses for the next client or request, best first. */
  #turn(): string[] {
    return this.#turns?.next((offered) => this.#isOffered(offered)) ?? [this.address];
  }

  #addresses(): string[] {
    const { address, choice } = this.#config;
    return choice ? addressesOf(choice) : [address];
  }

  #isOffered(address: string): boolean {
    return this.#router.isOffered(address, this.#config.servicePort);
  }
}

function socketOf(config: ListenerConfig): string {
  return JSON.stringify({ ...config, tls: config.tls !== undefined });
}

function portProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `port ${port} on ${host} is in use by another program; end it, or choose another port`;
  if (code === 'EACCES') return `port ${port} needs rights that this process does not have; choose one above 1023`;
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this machine`;
  return `port ${port} on ${host} cannot be had: ${message}`;
}
