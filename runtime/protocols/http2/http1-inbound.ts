import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { Origin } from '../origin.ts';
import { addForwarded, fieldOf, type Fields, withoutHopByHop } from './fields.ts';
import { addTrailers, plain } from './http1-fields.ts';
import type { Inbound } from './inbound.ts';

/** RFC 8297. */
const HTTP_STATUS_EARLY_HINTS = 103;

/** A request of a client that speaks HTTP/1.1. */
export class Http1Inbound implements Inbound {
  readonly fields: Fields;
  readonly hasBody: boolean;
  readonly hasCodes = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #socket: Socket;

  constructor(request: IncomingMessage, response: ServerResponse, origin: Origin) {
    this.#request = request;
    this.#response = response;
    this.#socket = request.socket;
    const { host, ...headers } = request.headers;
    this.hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    const fields: Fields = { ...headers };
    withoutHopByHop(fields);
    this.fields = {
      ':method': request.method,
      ':scheme': 'http',
      ...(host !== undefined && { ':authority': host }),
      ':path': pathOf(request.url ?? '/'),
      ...fields,
    };
    addForwarded(this.fields, origin);
    request.on('error', () => {});
    response.on('error', () => {});
    response.sendDate = false;
  }

  get body(): IncomingMessage {
    return this.#request;
  }

  get sink(): ServerResponse {
    return this.#response;
  }

  get isOver(): boolean {
    return this.#response.writableFinished || this.#response.destroyed || this.#socket.destroyed;
  }

  trailers(): Fields | undefined {
    const trailers: Fields = { ...this.#request.trailers };
    return Object.keys(trailers).length > 0 ? trailers : undefined;
  }

  inform(fields: Fields): void {
    if (this.isOver || this.#response.headersSent) return;
    const status = Number(fields[':status']);
    const link = fieldOf(fields, 'link');
    if (status === constants.HTTP_STATUS_CONTINUE) this.#response.writeContinue();
    else if (status === HTTP_STATUS_EARLY_HINTS && link !== undefined) this.#response.writeEarlyHints({ link });
  }

  respond(fields: Fields, ended: boolean): void {
    if (this.isOver) return;
    this.#response.writeHead(Number(fields[':status']), plain(fields));
    if (ended) this.#response.end();
  }

  end(trailers: Fields | undefined): void {
    if (this.isOver || this.#response.writableEnded) return;
    // Only what has chunks has a place for them; Node drops them otherwise.
    if (trailers) addTrailers(this.#response, plain(trailers));
    this.#response.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  letGo(): void {
    if (this.#request.complete) return;
    const close = (): void => this.#socket.destroySoon();
    if (this.#response.writableFinished) close();
    else this.#response.once('finish', close);
  }

  onClose(closed: (code: number | undefined) => void): void {
    this.#response.once('close', () => closed(this.#response.writableFinished ? undefined : constants.NGHTTP2_CANCEL));
  }
}

/** Of `http://host/path`, which proxies are sent, the path. */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?]*/i, '') || '/';
}
