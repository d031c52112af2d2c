import type { Failure } from './failure.ts';
import type { Fields } from './field.ts';
import type { WindowGrowth } from './window-growth.ts';

/** A request at one server, in whatever protocol that server speaks. */
export interface Call {
  /** The next bytes of the request's body. */
  write(chunk: Buffer): void;
  /** The body is complete. */
  end(trailers: Fields | undefined): void;
  /** So many bytes of `data` have gone to the client: as many may come. */
  taken(bytes: number): void;
  /** Nobody wants the response any more. `code` is one of RFC 9113, section 7. */
  cancel(code: number): void;
}

/** What becomes of it. `closed` comes last, once. */
export interface CallEvents {
  /** 1xx. */
  informed(fields: Fields): void;
  /** `ended`: there is no body, and no trailers. */
  responded(fields: Fields, ended: boolean): void;
  /** The next bytes of the response's body. */
  answered(chunk: Buffer): void;
  /** The response is whole. */
  answerEnded(trailers: Fields | undefined): void;
  /** So many bytes of what was given to `write` have left. */
  asked(bytes: number): void;
  /** With a failure where the response is not whole, or there is none. */
  callClosed(failure: Failure | undefined): void;
}

/** What the request is. `ended`: it has no body, and no trailers. */
export interface CallRequest {
  fields: Fields;
  ended: boolean;
  /** The client's address. */
  client: string;
  /** For the window of its response. */
  growth: WindowGrowth;
}
