import type { Fields } from './field.ts';
import type { WindowGrowth } from './window-growth.ts';

/** A request as it came from a client, and the way to answer it, in whatever protocol the client speaks. */
export interface Inbound {
  /** As the server gets them. */
  readonly fields: Fields;
  /** The client's address: its requests are its share, on however many connections they come. */
  readonly client: string;
  /** The request has a body, or trailers. */
  readonly hasBody: boolean;
  /** The client understands error codes. */
  readonly hasCodes: boolean;
  /** Fields of a response that the client takes; undefined where it has no word for that. Bytes. */
  readonly maxFieldBytes?: number;
  /** What it shares with other requests of its client; undefined where those come one by one. */
  readonly growth?: WindowGrowth;
  /** The client is gone, or has what it wanted. */
  readonly isOver: boolean;
  /** Whoever is told what comes of it: set at once. */
  events: InboundEvents;
  /** So many bytes of the body have gone to a server: as many may come. */
  taken(bytes: number): void;
  /** 1xx. */
  inform(fields: Fields): void;
  /** `ended`: there is no body, and no trailers. */
  respond(fields: Fields, ended: boolean): void;
  /** The next bytes of the response's body. */
  write(chunk: Buffer): void;
  /** The response's body is complete. */
  end(trailers: Fields | undefined): void;
  /** Gives up; `code` is one of RFC 9113, section 7. `isBlamed`: it is the client's doing. */
  reset(code: number, isBlamed?: boolean): void;
  /** It is answered, and nobody reads the rest of the request (RFC 9113, section 8.1). */
  letGo(): void;
}

export interface InboundEvents {
  /** The next bytes of the request's body. */
  body(chunk: Buffer): void;
  bodyEnded(trailers: Fields | undefined): void;
  /** For long nothing has come of it, though its client may go on. Told again and again. */
  bodyStalled(): void;
  /** So many bytes of what was given to `write` have left. */
  sent(bytes: number): void;
  /** Once, when it is over: with the client's error code where it came to no proper end. */
  clientClosed(code: number | undefined): void;
}

/** For whom nothing is there yet to tell. */
export const NO_EVENTS: InboundEvents = { body() {}, bodyEnded() {}, bodyStalled() {}, sent() {}, clientClosed() {} };
