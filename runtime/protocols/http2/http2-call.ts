import type { Server } from '../listener.ts';
import type { Call, CallEvents, CallRequest } from './call.ts';
import type { Failure } from './failure.ts';
import type { Fields } from './field.ts';
import { withoutHopByHop } from './fields.ts';
import { ErrorCode } from './frames.ts';
import type { Slot } from './server-session.ts';
import type { Http2Stream, StreamEvents } from './stream.ts';

/** Servers count what they answer with these, and what is taken back, and end the connection of everybody once it is too much. */
const COUNTED = new Set<number>([ErrorCode.protocol, ErrorCode.enhanceYourCalm]);

/** A request to a server that speaks HTTP/2. */
export class Http2Call implements Call, StreamEvents {
  readonly #slot: Slot;
  readonly #server: Server;
  readonly #events: CallEvents;
  readonly #stream: Http2Stream;
  #isWhole = false;

  constructor(slot: Slot, server: Server, request: CallRequest, events: CallEvents) {
    this.#slot = slot;
    this.#server = server;
    this.#events = events;
    this.#stream = slot.request(request);
    this.#stream.events = this;
  }

  write(chunk: Buffer): void {
    this.#stream.write(chunk);
  }

  end(trailers: Fields | undefined): void {
    this.#stream.end(trailers);
  }

  taken(bytes: number): void {
    this.#stream.taken(bytes);
  }

  cancel(code: number): void {
    this.#stream.reset(code);
  }

  responded(status: number, fields: Fields, ended: boolean): void {
    if (status < 200) this.#events.informed(withoutHopByHop(fields));
    else this.#events.responded(withoutHopByHop(fields), ended);
  }

  data(chunk: Buffer): void {
    this.#events.answered(chunk);
  }

  ended(trailers: Fields | undefined): void {
    this.#isWhole = true;
    this.#events.answerEnded(trailers && withoutHopByHop(trailers));
  }

  /** A server may take its time: its streams are not looked at for that. */
  stalled(): void {}

  sent(bytes: number): void {
    this.#events.asked(bytes);
  }

  closed(code: number): void {
    if (this.#stream.wasReset || COUNTED.has(code)) this.#slot.session.wentWrong();
    this.#slot.release();
    this.#events.callClosed(this.#isWhole ? undefined : this.#failure(code));
  }

  #failure(code: number): Failure {
    const { lost, lastStream } = this.#slot.session;
    const who = `at ${this.#server.site}, ${this.#server.target}`;
    const unseen = this.#stream.id > lastStream;
    const untouched = unseen || code === ErrorCode.refusedStream;
    if (lost !== undefined) return { status: 502, reason: `${who} is gone: ${lost}`, untouched, onAnother: true };
    // That is for what follows a whole response only (RFC 9113, section 8.1): passed on, it would make a part of one look whole.
    if (code === ErrorCode.none)
      return { status: 502, reason: `${who} ended the request before its response was whole`, untouched };
    const onAnother = unseen || code === ErrorCode.enhanceYourCalm;
    const isBlamed = code === ErrorCode.protocol && !this.#stream.wasReset;
    return { status: 502, reason: `${who} reset the request (error code ${code})`, untouched, code, onAnother, isBlamed };
  }
}
