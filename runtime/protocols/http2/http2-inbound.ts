import type { Fields } from './field.ts';
import { type ForwardedFields, withoutHopByHop } from './fields.ts';
import { ErrorCode } from './frames.ts';
import { type Inbound, NO_EVENTS } from './inbound.ts';
import type { Http2Stream, StreamEvents } from './stream.ts';
import type { WindowGrowth } from './window-growth.ts';

/** A request that came over HTTP/2. */
export class Http2Inbound implements Inbound, StreamEvents {
  readonly fields: Fields;
  readonly client: string;
  readonly hasBody: boolean;
  readonly hasCodes = true;
  readonly growth: WindowGrowth;
  events = NO_EVENTS;
  /** That it came to no proper end is the client's doing: a server's code that was passed on is not, unless that says so. */
  isBlamed = true;
  readonly #stream: Http2Stream;
  readonly #closed: (code: number) => void;
  #hasResponse = false;

  /** `closed` is told of its end, with the code of RFC 9113, section 7. */
  constructor(
    stream: Http2Stream,
    fields: Fields,
    { forwarded, growth }: { forwarded: ForwardedFields; growth: WindowGrowth },
    closed: (code: number) => void,
  ) {
    this.growth = growth;
    this.#stream = stream;
    this.#closed = closed;
    this.client = forwarded.client;
    this.fields = forwarded.addTo(withoutHopByHop(fields), '2.0');
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
    if (!this.#hasResponse) this.#stream.inform(fields);
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

  reset(code: number, isBlamed = false): void {
    if (this.isOver) return;
    this.isBlamed = isBlamed;
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

  stalled(): void {
    this.events.bodyStalled();
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
