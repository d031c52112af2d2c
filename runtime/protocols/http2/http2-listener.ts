import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sparing } from '../../log.ts';
import { acceptClients, type ClientsPort } from '../accept-clients.ts';
import type { OpenListener, ProtocolListener, Way } from '../listener.ts';
import { ClientSession } from './client-session.ts';
import { Exchange, type Exchanging } from './exchange.ts';
import { PREFACE } from './frames.ts';
import { originOf } from '../origin.ts';
import { Http1Inbound } from './http1-inbound.ts';
import { Http1Servers } from './http1-servers.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
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
  readonly #http1;
  readonly #clients = new Set<ClientSession>();
  /** Clients that have not said yet what they speak. */
  readonly #silent = new Set<Socket>();
  #review: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(limits: Limits, way: Way) {
    this.#limits = limits;
    this.#way = way;
    const log = sparing(way.log);
    this.#context = { way, log, limits, sessions: new ServerSessions(limits), http1: new Http1Servers(limits) };
    // Uploads may take as long as they like.
    this.#http1 = createHttp1Server({ requestTimeout: 0, maxHeaderSize: limits.headerBytes });
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    this.#http1.on('request', answer);
    // The server says itself whether it wants the body.
    this.#http1.on('checkContinue', answer);
    this.#http1.keepAliveTimeout = limits.clientIdleMs;
  }

  get port(): number {
    return this.#clientsPort!.port;
  }

  async open(host: string, port: number): Promise<void> {
    this.#clientsPort = await acceptClients(host, port, this.#way, (client) => this.#greet(client));
    // It never listens itself, but keeps its lists and its timers from here on.
    this.#http1.emit('listening');
    this.#review = setInterval(() => this.#lookAfterAll(), this.#limits.reviewEveryMs).unref();
  }

  close(): void {
    this.#closed = true;
    this.#clientsPort?.close();
    this.#http1.close();
    for (const client of this.#silent) client.destroy();
    for (const client of this.#clients) client.close();
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
      else this.#http1.emit('connection', client);
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const inbound = new Http1Inbound(request, response, originOf(request.socket));
    const { socket } = request;
    response.once('finish', () => {
      if (this.#closed) socket.destroySoon();
    });
    new Exchange(inbound, this.#context).start();
  }

  #lookAfterAll(): void {
    const now = performance.now();
    const { sessions, http1 } = this.#context;
    for (const client of this.#clients) client.review(now);
    sessions.review(now);
    http1.review();
    if (this.#closed && this.#clients.size === 0 && sessions.isEmpty && http1.isEmpty) clearInterval(this.#review);
  }
}
