import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Origin } from '../origin.ts';
import { addForwarded, type Fields, received } from './fields.ts';
import type { Inbound } from './inbound.ts';

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR } = constants;

/** A request that came over HTTP/2. */
export class Http2Inbound implements Inbound {
  readonly fields: Fields;
  readonly hasBody: boolean;
  readonly hasCodes = true;
  /** From this side. */
  wasReset = false;
  readonly #stream: ServerHttp2Stream;
  #requestTrailers: Fields | undefined;
  #trailers: Fields | undefined;
  #isSent = false;
  #isLetGo = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: readonly string[], origin: Origin) {
    this.#stream = stream;
    this.fields = received(headers, raw);
    addForwarded(this.fields, origin);
    this.hasBody = (flags & NGHTTP2_FLAG_END_STREAM) === 0;
    stream.on('error', () => {});
    if (this.hasBody)
      stream.once('trailers', (trailers: IncomingHttpHeaders, _flags: number, rawTrailers?: string[]) => {
        this.#requestTrailers = received(trailers, rawTrailers ?? []);
      });
  }

  get body(): ServerHttp2Stream {
    return this.#stream;
  }

  get sink(): ServerHttp2Stream {
    return this.#stream;
  }

  get isOver(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  trailers(): Fields | undefined {
    return this.#requestTrailers;
  }

  inform(fields: Fields): void {
    if (!this.isOver && !this.#stream.headersSent) this.#stream.additionalHeaders(fields);
  }

  respond(fields: Fields, ended: boolean): void {
    if (this.isOver) return;
    if (!ended)
      this.#stream.once('wantTrailers', () => {
        this.#stream.sendTrailers(this.#trailers ?? {});
        // Node sends them in an immediate of its own.
        setImmediate(() => this.#sent());
      });
    // A server's own date, or none.
    const options = { endStream: ended, waitForTrailers: !ended, sendDate: false };
    this.#stream.respond(fields, options);
    if (ended) this.#sent();
  }

  end(trailers: Fields | undefined): void {
    this.#trailers = trailers;
    if (!this.isOver) this.#stream.end();
  }

  reset(code: number): void {
    if (this.isOver) return;
    this.wasReset = true;
    this.#stream.close(code);
  }

  letGo(): void {
    this.#isLetGo = true;
    this.#closeWhenSent();
  }

  onClose(closed: (code: number | undefined) => void): void {
    this.#stream.once('close', () => closed(this.#stream.rstCode === NGHTTP2_NO_ERROR ? undefined : this.#stream.rstCode));
  }

  #sent(): void {
    this.#isSent = true;
    this.#closeWhenSent();
  }

  #closeWhenSent(): void {
    const stream = this.#stream;
    if (this.#isSent && this.#isLetGo && this.hasBody && !stream.readableEnded) stream.close(NGHTTP2_NO_ERROR);
  }
}
