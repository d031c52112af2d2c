import type { Socket } from 'node:net';
import { sparing } from '../../log.ts';
import { acceptClients, type ClientsPort } from '../accept-clients.ts';
import { ClientConnection } from '../http/client-connection.ts';
import type { OpenListener, ProtocolListener, Way } from '../listener.ts';
import { ClientSession } from './client-session.ts';
import type { Exchanging } from './exchange.ts';
import { ForwardedFields } from './fields.ts';
import { PREFACE } from './frames.ts';
import { AllHeldBodies } from './held-bodies.ts';
import { originOf } from '../origin.ts';
import { Http1Inbound } from './http1-inbound.ts';
import { Http1Servers } from './http1-servers.ts';
import { DEFAULT_LIMITS, http1Limits, type Limits } from './limits.ts';
import { ServerSessions } from './server-sessions.ts';

/** So many of HTTP/2's first bytes tell which protocol it is: no method of HTTP/1.1 begins like that. */
const TELLING_BYTES = 3;

/** Where clients speak HTTP/2, in TLS or with prior knowledge (RFC 9113, section 3.3); each request gets a server of its own. */
export const openHttp2Listener: OpenListener = (host, port, way) => openHttp2ListenerWithin(DEFAULT_LIMITS, host, port, way);

/** The same within other limits. */
export async function openHttp2ListenerWithin(limits: Limits, host: string, port: number, way: Way): Promise<ProtocolListener> {
  const listener = new Http2Listener(limits, way);
  await listener.open(host, port);
  return listener;
}

class Http2Listener implements ProtocolListener {
  readonly #limits: Limits;
  readonly #way: Way;
  readonly #context: Exchanging;
  #clientsPort: ClientsPort | undefined;
  readonly #clients = new Set<ClientSession>();
  readonly #http1Clients = new Set<ClientConnection>();
  /** Clients that have not said yet what they speak. */
  readonly #silent = new Set<Socket>();
  #review: NodeJS.Timeout | undefined;

  constructor(limits: Limits, way: Way) {
    this.#limits = limits;
    this.#way = way;
    const log = sparing(way.log);
    this.#context = {
      way,
      log,
      limits,
      sessions: new ServerSessions(limits),
      http1: new Http1Servers(limits),
      http1Clients: { way, log, limits: http1Limits(limits), isClosing: false },
      held: new AllHeldBodies(limits),
    };
  }

  get port(): number {
    return this.#clientsPort!.port;
  }

  async open(host: string, port: number): Promise<void> {
    this.#clientsPort = await acceptClients(host, port, this.#way, (client) => this.#greet(client));
    this.#review = setInterval(() => this.#lookAfterAll(), this.#limits.reviewEveryMs).unref();
  }

  close(): void {
    this.#context.http1Clients.isClosing = true;
    this.#clientsPort?.close();
    for (const client of this.#silent) client.destroy();
    for (const client of this.#clients) client.close();
    for (const client of this.#http1Clients) client.endIdle();
    this.#context.sessions.close();
    this.#context.http1.close();
  }

  /** Waits for the bytes that tell which protocol a client speaks. */
  #greet(client: Socket): void {
    this.#way.count(client);
    this.#silent.add(client);
    client.on('error', () => {});
    const timer = setTimeout(() => client.destroy(), this.#limits.firstBytesWithinMs);
    client.once('close', () => {
      clearTimeout(timer);
      this.#silent.delete(client);
    });
    let head: Buffer = Buffer.alloc(0);
    const look = (): void => {
      const chunk = client.read() as Buffer | null;
      if (chunk) head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const isHttp2 = head.subarray(0, TELLING_BYTES).equals(PREFACE.subarray(0, Math.min(head.length, TELLING_BYTES)));
      if (isHttp2 && head.length < TELLING_BYTES) {
        if (client.readableEnded) client.destroy();
        return;
      }
      if (client.destroyed) return;
      client.off('readable', look);
      clearTimeout(timer);
      this.#silent.delete(client);
      client.unshift(head);
      if (isHttp2) this.#accept(client);
      else this.#acceptHttp1(client);
    };
    client.on('readable', look);
    client.once('end', () => {
      if (this.#silent.has(client)) client.destroy();
    });
  }

  #accept(socket: Socket): void {
    // A client that has ended can say nothing more, not even that it takes the answer.
    socket.allowHalfOpen = false;
    const client = new ClientSession(socket, this.#context);
    this.#clients.add(client);
    socket.once('close', () => this.#clients.delete(client));
  }

  #acceptHttp1(socket: Socket): void {
    const forwarded = new ForwardedFields(originOf(socket));
    const client = new ClientConnection(
      socket,
      this.#context.http1Clients,
      (head, connection) => new Http1Inbound(head, connection, forwarded, this.#context),
    );
    this.#http1Clients.add(client);
    socket.once('close', () => this.#http1Clients.delete(client));
  }

  #lookAfterAll(): void {
    const now = performance.now();
    const { sessions, http1, http1Clients, held } = this.#context;
    for (const client of this.#clients) client.review(now);
    for (const client of this.#http1Clients) client.sweep(now);
    sessions.review(now);
    http1.review(now);
    held.review(now);
    const hasClients = this.#clients.size > 0 || this.#http1Clients.size > 0;
    if (http1Clients.isClosing && !hasClients && sessions.isEmpty && http1.isEmpty) clearInterval(this.#review);
  }
}
