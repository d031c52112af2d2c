import type { RequestHead } from '../http/head.ts';
import type { RequestClient, RequestHandler } from '../http/request-handler.ts';
import { Exchange, type Exchanging } from './exchange.ts';
import { fieldOf, type Fields } from './field.ts';
import type { ForwardedFields } from './fields.ts';
import { ErrorCode } from './frames.ts';
import { requestFields, responseHead, trailerFields } from './http1-fields.ts';
import { Http1Message } from './http1-message.ts';
import { type Inbound, NO_EVENTS } from './inbound.ts';

/** A request of a client that speaks HTTP/1.1. */
export class Http1Inbound implements Inbound, RequestHandler {
  readonly fields: Fields;
  readonly client: string;
  readonly hasBody: boolean;
  readonly hasCodes = false;
  events = NO_EVENTS;
  hasAnswered = false;
  isOver = false;
  readonly #head: RequestHead;
  readonly #client: RequestClient;
  readonly #context: Exchanging;
  readonly #exchange: Exchange;
  readonly #response: Http1Message;
  /** Of the request's body, what no server has got yet. Bytes. */
  #untaken = 0;
  #hasEnded = false;
  #isLetGo = false;
  /** Bytes that the response's body must have yet, where its head says how many it has. */
  #left = 0;
  #isWritten = false;
  /** The connection ends with the response. */
  #closes = false;

  constructor(head: RequestHead, client: RequestClient, forwarded: ForwardedFields, context: Exchanging) {
    this.#head = head;
    this.#client = client;
    this.#context = context;
    this.client = forwarded.client;
    this.fields = forwarded.addTo(requestFields(head, context.way.address), head.minor === 0 ? '1.0' : '1.1');
    this.hasBody = head.framing !== 0;
    client.unchunk();
    this.#response = new Http1Message({
      sent: (bytes) => this.events.sent(bytes),
      written: () => {
        this.#isWritten = true;
        this.#finish();
      },
    });
    this.#response.sendTo(client);
    this.#exchange = new Exchange(this, context);
  }

  start(): void {
    this.#exchange.start();
  }

  body(piece: Buffer): void {
    this.#untaken += piece.length;
    this.#hold();
    this.events.body(piece);
  }

  ended(trailers: Buffer | undefined): void {
    this.#hasEnded = true;
    this.events.bodyEnded(trailerFields(trailers));
    this.#finish();
  }

  drained(): void {
    this.#response.drained();
  }

  cancel(): void {
    this.#close(ErrorCode.cancel);
  }

  taken(bytes: number): void {
    if (this.isOver) return;
    this.#untaken -= bytes;
    this.#hold();
  }

  /** HTTP/1.0 knows of none, and for a client that does not read nothing is kept that it can do without. */
  inform(fields: Fields): void {
    if (this.isOver || this.hasAnswered || this.#head.minor === 0 || this.#response.isHeld) return;
    const { method } = this.#head;
    this.#response.begin(responseHead(fields, { ended: true, method, takesChunks: true, connection: undefined }));
  }

  respond(fields: Fields, ended: boolean): void {
    if (this.isOver) return;
    const { method, minor, persists } = this.#head;
    const length = fieldOf(fields, 'content-length');
    const endsWithConnection = !ended && length === undefined && minor === 0;
    this.hasAnswered = true;
    this.#left = ended ? 0 : Number(length ?? 0);
    this.#closes = !persists || endsWithConnection || this.#context.http1Clients.isClosing;
    const connection = this.#closes ? 'close' : minor === 0 ? 'keep-alive' : undefined;
    this.#response.begin(responseHead(fields, { ended, method, takesChunks: minor === 1, connection }));
    if (ended) this.#response.end(undefined);
  }

  write(chunk: Buffer): void {
    this.#left -= chunk.length;
    this.#response.write(chunk);
  }

  end(trailers: Fields | undefined): void {
    // What is shorter than it says must not be taken for whole.
    if (this.#left > 0) this.reset();
    else this.#response.end(trailers);
  }

  reset(): void {
    if (this.isOver) return;
    this.#close(ErrorCode.cancel);
    this.#client.truncate(new Error('the server broke off its response'));
  }

  letGo(): void {
    this.#isLetGo = true;
    this.#finish();
  }

  #hold(): void {
    this.#client.holdBody(this.#untaken >= this.#context.limits.clientWindowBytes);
  }

  /** The next request comes behind both ends of this one. */
  #finish(): void {
    if (this.isOver || !this.#isWritten || !(this.#hasEnded || this.#isLetGo)) return;
    this.#close(undefined);
    this.#client.finished(this.#closes || !this.#hasEnded);
  }

  #close(code: number | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#response.stop();
    this.events.clientClosed(code);
  }
}
