import type { Readable, Writable } from 'node:stream';
import type { Failure } from './failure.ts';
import type { Fields } from './fields.ts';

/** A request at one server, in whatever protocol that server speaks. */
export interface Call {
  /** Takes the request's body. Nobody may write to it, or end it, once it is destroyed. */
  readonly body: Writable;
  /** The body is complete. */
  end(trailers: Fields | undefined): void;
  /** Nobody wants the response any more. `code` is one of RFC 9113, section 7. */
  cancel(code: number): void;
}

/** What becomes of it. `closed` comes last, once. */
export interface CallEvents {
  /** 1xx. */
  informed(fields: Fields): void;
  /** `ended`: there is no body, and no trailers. */
  responded(fields: Fields, ended: boolean, body: Readable): void;
  /** The body was read to its end. */
  ended(trailers: Fields | undefined): void;
  /** With a failure where the response is not whole, or there is none. */
  closed(failure: Failure | undefined): void;
}
