import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Server } from '../listener.ts';
import type { Call, CallEvents } from './call.ts';
import type { Failure } from './failure.ts';
import { type Fields, received } from './fields.ts';
import type { ServerSession, Slot } from './server-session.ts';

/** A request to a server that speaks HTTP/2. `ended`: it has no body, and no trailers. */
export class Http2Call implements Call {
  readonly body: ClientHttp2Stream;
  readonly #session: ServerSession;
  readonly #server: Server;
  #requestTrailers: Fields | undefined;
  #trailers: Fields | undefined;
  #hasResponse = false;
  #isWhole = false;

  constructor(slot: Slot, server: Server, { fields, ended }: { fields: Fields; ended: boolean }, events: CallEvents) {
    this.#session = slot.session;
    this.#server = server;
    const stream = slot.request(fields, { endStream: ended });
    this.body = stream;
    // Every error is followed by `close`, and told there.
    stream.on('error', () => {});
    if (!ended) stream.once('wantTrailers', () => stream.sendTrailers(this.#requestTrailers ?? {}));
    // Also for a block of fields within a body, which is against the protocol and means nothing.
    stream.on('headers', (headers, _flags, raw?: string[]) => {
      if (headers[':status'] !== undefined) events.informed(received(headers, raw ?? []));
    });
    stream.once('response', (headers: IncomingHttpHeaders, flags: number, raw?: string[]) => {
      this.#hasResponse = true;
      events.responded(received(headers, raw ?? []), (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0, stream);
    });
    stream.once('trailers', (headers: IncomingHttpHeaders, _flags: number, raw?: string[]) => {
      this.#trailers = received(headers, raw ?? []);
    });
    stream.once('end', () => {
      // A stream that was cut off has an end, too.
      if (!this.#hasResponse || stream.rstCode !== constants.NGHTTP2_NO_ERROR || this.#session.lost !== undefined) return;
      this.#isWhole = true;
      events.ended(this.#trailers);
    });
    stream.once('close', () => events.closed(this.#isWhole ? undefined : this.#failure()));
  }

  end(trailers: Fields | undefined): void {
    this.#requestTrailers = trailers;
    this.body.end();
  }

  cancel(code: number): void {
    if (this.body.closed) return;
    this.#session.tookBack();
    this.body.close(code);
  }

  #failure(): Failure {
    const { rstCode, id } = this.body;
    const { lost, lastStream } = this.#session;
    const who = `at ${this.#server.site}, ${this.#server.target}`;
    const unseen = id === undefined || id > lastStream;
    const untouched = unseen || rstCode === constants.NGHTTP2_REFUSED_STREAM;
    if (lost !== undefined) return { status: 502, reason: `${who} is gone: ${lost}`, untouched, onAnother: true };
    const reason = `${who} reset the request (error code ${rstCode})`;
    return { status: 502, reason, untouched, code: rstCode, onAnother: unseen };
  }
}
