import type { Readable, Writable } from 'node:stream';
import type { Fields } from './fields.ts';

/** A request as it came from a client, and the way to answer it, in whatever protocol the client speaks. */
export interface Inbound {
  /** As the server gets them. */
  readonly fields: Fields;
  /** The request has a body, or trailers. */
  readonly hasBody: boolean;
  /** The client understands error codes. */
  readonly hasCodes: boolean;
  readonly body: Readable;
  /** Takes the response's body. */
  readonly sink: Writable;
  /** The client is gone, or has what it wanted. */
  readonly isOver: boolean;
  /** Of the request, once its body has ended. */
  trailers(): Fields | undefined;
  /** 1xx. */
  inform(fields: Fields): void;
  /** `ended`: there is no body, and no trailers. */
  respond(fields: Fields, ended: boolean): void;
  /** The response's body is complete. */
  end(trailers: Fields | undefined): void;
  /** Gives up; `code` is one of RFC 9113, section 7. */
  reset(code: number): void;
  /** It is answered, and nobody reads the rest of the request (RFC 9113, section 8.1). */
  letGo(): void;
  /** Calls back once when it is over: with the client's error code where it came to no proper end. */
  onClose(closed: (code: number | undefined) => void): void;
}
