import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Origin } from '../origin.ts';
import { abort } from '../splice.ts';
import { field, fieldOf, type Fields } from './field.ts';
import { ForwardedFields, withoutHopByHop } from './fields.ts';
import { ErrorCode } from './frames.ts';
import { BodyReader, writeTo } from './http1-body.ts';
import { addTrailers, fieldsOf, plain } from './http1-fields.ts';
import { type Inbound, NO_EVENTS } from './inbound.ts';

/** RFC 9110, section 15.2.1, and RFC 8297. */
const HTTP_STATUS_CONTINUE = 100;
const HTTP_STATUS_EARLY_HINTS = 103;

/** A request of a client that speaks HTTP/1.1. */
export class Http1Inbound implements Inbound {
  readonly fields: Fields;
  readonly hasBody: boolean;
  readonly hasCodes = false;
  events = NO_EVENTS;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #body: BodyReader;

  constructor(request: IncomingMessage, response: ServerResponse, origin: Origin) {
    this.#request = request;
    this.#response = response;
    this.#socket = request.socket;
    const { host, ...headers } = request.headers;
    this.hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    const fields = [
      field(':method', request.method!),
      field(':scheme', 'http'),
      ...(host === undefined ? [] : [field(':authority', host)]),
      field(':path', pathOf(request.url ?? '/')),
      ...withoutHopByHop(fieldsOf(headers)),
    ];
    this.fields = new ForwardedFields(origin).addTo(fields);
    request.on('error', () => {});
    response.on('error', () => {});
    this.#body = new BodyReader(request, (chunk) => this.events.body(chunk));
    request.once('end', () => {
      const trailers = fieldsOf(request.trailers);
      this.events.bodyEnded(trailers.length > 0 ? trailers : undefined);
    });
    // Node forgets requests that wait for their turn when one behind them wants a tunnel: the socket tells of the client's end in every case.
    const gone = (): void => this.events.clientClosed(ErrorCode.cancel);
    this.#socket.once('close', gone);
    response.once('close', () => {
      this.#socket.off('close', gone);
      this.events.clientClosed(response.writableFinished ? undefined : ErrorCode.cancel);
    });
    response.sendDate = false;
  }

  get isOver(): boolean {
    return this.#response.writableFinished || this.#response.destroyed || this.#socket.destroyed;
  }

  taken(bytes: number): void {
    this.#body.taken(bytes);
  }

  inform(fields: Fields): void {
    if (this.isOver || this.#response.headersSent) return;
    const status = Number(fieldOf(fields, ':status'));
    const link = fieldOf(fields, 'link');
    if (status === HTTP_STATUS_CONTINUE) this.#response.writeContinue();
    else if (status === HTTP_STATUS_EARLY_HINTS && link !== undefined) this.#hint(link);
  }

  /** Hints that Node does not send, for a link that it takes for none, are left out: the answer is to come. */
  #hint(link: string): void {
    try {
      this.#response.writeEarlyHints({ link });
    } catch {
      // The answer stands.
    }
  }

  respond(fields: Fields, ended: boolean): void {
    if (this.isOver) return;
    const headers = plain(fields);
    // What has a length has no place for trailers, and Node refuses to announce them.
    if (headers['content-length'] !== undefined) delete headers['trailer'];
    this.#response.writeHead(Number(fieldOf(fields, ':status')), headers);
    if (ended) this.#response.end();
  }

  write(chunk: Buffer): void {
    writeTo(this.#response, chunk, (bytes) => this.events.sent(bytes));
  }

  end(trailers: Fields | undefined): void {
    if (this.isOver || this.#response.writableEnded) return;
    // Only what has chunks has a place for them; Node drops them otherwise.
    if (trailers) addTrailers(this.#response, plain(trailers));
    this.#response.end();
  }

  reset(): void {
    abort(this.#socket, new Error('the server broke off its answer'));
  }

  letGo(): void {
    if (this.#request.complete) return;
    const close = (): void => this.#socket.destroySoon();
    if (this.#response.writableFinished) close();
    else this.#response.once('finish', close);
  }
}

/** Of `http://host/path`, which proxies are sent, the path. */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?]*/i, '') || '/';
}
