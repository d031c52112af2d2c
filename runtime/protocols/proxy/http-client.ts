import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type OutgoingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { sentence } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { abort, splice } from '../splice.ts';
import { hangUp } from './hang-up.ts';
import { connectTarget, forwardTarget, hasBody, requestHeaders, responseHeaders } from './http-message.ts';
import { type ProxyNetwork, reach, Unreached } from './reach.ts';

/** How long a connection is kept for a further request. Milliseconds. */
const KEEP_ALIVE_MS = 60_000;
/** How long a server may take to end a connection that was ended here. Milliseconds. */
const FAREWELL_MS = 2000;
/** Methods whose requests say that they have no body, too. */
const USUALLY_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);
const WHAT_THIS_IS =
  'This is a proxy: set it as http_proxy and https_proxy. It takes CONNECT host:port, and requests for whole URLs that begin with http://.';

/** Which clients have something under way: the others may be closed at any time. */
export interface Occupancy {
  busy(client: Duplex): void;
  idle(client: Duplex): void;
}

/** Serves HTTP/1.1 clients on connections that it is given: CONNECT (RFC 9110, 9.3.6), and requests with a whole URL as their target. */
export class HttpClients {
  readonly #network: ProxyNetwork;
  readonly #occupancy: Occupancy;
  readonly #log: Log;
  /** Never listens: it parses, and is strict about it. A head has at most 16 KiB. */
  readonly #server: Server;

  constructor(network: ProxyNetwork, occupancy: Occupancy, log: Log) {
    this.#network = network;
    this.#occupancy = occupancy;
    this.#log = log;
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS })
      .on('request', (request, response) => this.#safely(request.socket, this.#forward(request, response)))
      .on('connect', (request, client, early) => this.#safely(client, this.#tunnel(request, client as Socket, early)))
      .on('clientError', ({ code }: NodeJS.ErrnoException, client) => {
        if (!client.writable || code === 'ECONNRESET') return client.destroy();
        const tooLarge = code === 'HPE_HEADER_OVERFLOW';
        const message = tooLarge ? 'The head of the request is larger than 16 KiB.' : `This is no HTTP request. ${WHAT_THIS_IS}`;
        return hangUp(client as Socket, refusal(tooLarge ? 431 : 400, message));
      });
  }

  /** Serves a client of which nothing was read yet, or what was read was put back. */
  take(client: Socket): void {
    this.#server.emit('connection', client);
    client.resume();
  }

  async #tunnel(request: IncomingMessage, client: Socket, early: Buffer): Promise<void> {
    this.#occupancy.busy(client);
    client.on('error', () => {});
    // At once: a client that has ended meanwhile takes nothing back.
    if (early.length > 0) client.unshift(early);
    const target = connectTarget(request.url ?? '');
    if (!target) return hangUp(client, refusal(400, `CONNECT takes host:port. ${WHAT_THIS_IS}`));
    try {
      const stream = await reach(target.host, target.port, this.#network);
      if (client.destroyed) return abort(stream, new Error('the client has gone'));
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      return splice(client, stream);
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      this.#log.info(`a client of the proxy was refused: ${error.message}`);
      return hangUp(client, refusal(statusOf(error), error.message));
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = request.socket;
    this.#occupancy.busy(client);
    response.once('close', () => this.#occupancy.idle(client));
    const target = forwardTarget(request.url ?? '');
    if (!target) return answer(response, 400, WHAT_THIS_IS);
    let stream: Duplex;
    try {
      stream = await reach(target.host, target.port, this.#network);
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      this.#log.info(`a client of the proxy was refused: ${error.message}`);
      return answer(response, statusOf(error), error.message);
    }
    if (response.destroyed) return abort(stream, new Error('the client has gone'));
    this.#exchange(request, response, { ...target, stream });
  }

  /** One request over a connection of its own: the network chooses a server for each. */
  #exchange(request: IncomingMessage, response: ServerResponse, to: { stream: Duplex; authority: string; path: string }): void {
    const { stream, authority, path } = to;
    const { method = 'GET', rawHeaders } = request;
    const headers = requestHeaders(rawHeaders, authority);
    const withBody = hasBody(rawHeaders);
    if (!withBody && USUALLY_WITH_BODY.has(method)) headers.push('Content-Length', '0');
    let onward: ClientRequest;
    try {
      onward = httpRequest({ method, path, headers, setHost: false, createConnection: () => stream });
    } catch (error) {
      stream.destroy();
      return answer(response, 400, `This request cannot be passed on: ${sentence(error)}.`);
    }
    // Once the answer has begun it tells for itself how it ends, whatever becomes of the rest of the request.
    const broke = (error: Error) => {
      stream.destroy();
      if (response.headersSent || response.destroyed) return;
      answer(response, 502, `${authority} broke the connection before it answered: ${sentence(error)}.`);
    };
    onward.on('error', broke);
    onward.once('close', () => {
      // Also where it was no answer to what was asked, such as 101: nothing else tells of that.
      broke(new Error('it gave no answer to this request'));
      request.unpipe(onward).resume();
    });
    onward.once('response', (got) => {
      try {
        // Without the server's own phrase, which nobody is to rely on (RFC 9112, 4), and which may not even be allowed.
        response.writeHead(got.statusCode ?? 502, responseHeaders(got.rawHeaders));
      } catch (error) {
        return broke(error as Error); // what the server wrote is nothing to pass on
      }
      passTrailers(got, response);
      return pipeline(got, response, (error) => (error || !onward.writableFinished ? stream.destroy() : bidFarewell(stream)));
    });
    // Nobody reads the answer any more.
    response.once('close', () => onward.destroy());
    if (withBody) {
      passTrailers(request, onward);
      request.pipe(onward);
    } else onward.end();
  }

  #safely(client: Duplex, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#log.error('the proxy met a defect', { error: (error as Error)?.stack ?? error });
      client.destroy();
    });
  }
}

/** Ends a connection that has served its request. A reset would do as well, but servers write such into their logs. */
function bidFarewell(stream: Duplex): void {
  const limit = setTimeout(() => stream.destroy(), FAREWELL_MS).unref();
  stream.on('error', () => {}).once('close', () => clearTimeout(limit));
  stream.end();
  stream.resume();
}

/** Before the message ends: nobody reads them later. Those with characters that may not be sent are left out. */
function passTrailers(from: IncomingMessage, to: OutgoingMessage): void {
  from.once('end', () => {
    try {
      to.addTrailers(pairsOf(from.rawTrailers));
    } catch {
      // The body has arrived whole without them.
    }
  });
}

function statusOf({ code }: Unreached): number {
  return code === 'timeout' ? 504 : 502;
}

function answer(response: ServerResponse, status: number, message: string): void {
  const body = `${message}\n`;
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, headers).end(body);
  // What is left of the request is read away: unread, it would turn the end into a reset, and the sentence would be lost.
  response.req.resume();
}

/** The same, for a client that no `ServerResponse` stands for. */
function refusal(status: number, message: string): string {
  const reason = { 400: 'Bad Request', 431: 'Request Header Fields Too Large', 502: 'Bad Gateway', 504: 'Gateway Timeout' }[
    status
  ];
  const body = `${message}\n`;
  return `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2]!, raw[at * 2 + 1]!]);
}
