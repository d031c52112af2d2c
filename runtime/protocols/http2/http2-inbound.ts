import { type Fields, sizeOfAll } from './field.ts';
import { type ForwardedFields, withoutHopByHop } from './fields.ts';
import { ErrorCode } from './frames.ts';
import { type Inbound, NO_EVENTS } from './inbound.ts';
import type { Http2Stream, StreamEvents } from './stream.ts';

/** A request that came over HTTP/2. */
export class Http2Inbound implements Inbound, StreamEvents {
  readonly fields: Fields;
  readonly hasBody: boolean;
  readonly hasCodes = true;
  events = NO_EVENTS;
  /** From this side. */
  wasReset = false;
  readonly #stream: Http2Stream;
  readonly #closed: (code: number) => void;
  #hasResponse = false;

  /** `closed` is told of its end, with the code of RFC 9113, section 7. */
  constructor(stream: Http2Stream, fields: Fields, forwarded: ForwardedFields, closed: (code: number) => void) {
    this.#stream = stream;
    this.#closed = closed;
    this.fields = forwarded.addTo(withoutHopByHop(fields));
    this.hasBody = !stream.hasGotEnd;
    stream.events = this;
  }

  get isOver(): boolean {
    return this.#stream.isClosed;
  }

  get maxFieldBytes(): number {
    return this.#stream.maxFieldBytes;
  }

  taken(bytes: number): void {
    this.#stream.taken(bytes);
  }

  inform(fields: Fields): void {
    if (!this.#hasResponse && sizeOfAll(fields) <= this.maxFieldBytes) this.#stream.sendFields(fields, false);
  }

  respond(fields: Fields, ended: boolean): void {
    this.#hasResponse = true;
    this.#stream.sendFields(fields, ended);
  }

  write(chunk: Buffer): void {
    this.#stream.write(chunk);
  }

  end(trailers: Fields | undefined): void {
    this.#stream.end(trailers);
  }

  reset(code: number): void {
    if (this.isOver) return;
    this.wasReset = true;
    this.#stream.reset(code);
  }

  letGo(): void {
    this.#stream.letGo();
  }

  data(chunk: Buffer): void {
    this.events.body(chunk);
  }

  ended(trailers: Fields | undefined): void {
    this.events.bodyEnded(trailers && withoutHopByHop(trailers));
  }

  sent(bytes: number): void {
    this.events.sent(bytes);
  }

  closed(code: number): void {
    this.events.clientClosed(code === ErrorCode.none ? undefined : code);
    this.#closed(code);
  }

  /** A client's stream is opened by the client: there is no response on it. */
  responded(): void {}
}
