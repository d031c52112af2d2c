import { sentence } from '../../errors.ts';
import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import { field, type Fields } from './field.ts';

/** Why a request got no answer from a server. */
export interface Failure {
  /**
   * 408: the rest of the request does not come. 431: the request has more fields than a server takes. 502: a server broke off, or broke the
   * protocol. 503: none could be reached, or none has room. 504: none answered in time.
   */
  readonly status: 408 | 431 | 502 | 503 | 504;
  /** The reason, as the end of a sentence. */
  readonly reason: string;
  /** No server has begun with it: it may go to another one, whatever it asks for. */
  readonly untouched: boolean;
  /** The server's own word for it, an error code of RFC 9113, section 7. */
  readonly code?: number;
  /** The server found the request against the protocol. */
  readonly isBlamed?: boolean;
  /** A message had more fields than an end takes. */
  readonly isTooLarge?: boolean;
  /** It was the connection that ended, or that the server has had enough of: the same server may take it on another one. */
  readonly onAnother?: boolean;
}

/** gRPC's words for what went wrong (https://grpc.io/docs/guides/status-codes/). */
const GRPC_RESOURCE_EXHAUSTED = 8;
const GRPC_UNAVAILABLE = 14;

/** What `server.connect()`, or waiting for a place at the server, ended with. */
export function unreached(error: unknown, { site }: Server): Failure {
  const reason = `at ${site}, ${sentence(error)}`;
  if (!(error instanceof StreamError)) return { status: 502, reason, untouched: true };
  return { status: error.code === 'timeout' ? 504 : 503, reason, untouched: true };
}

/** The server takes no request with so many fields (RFC 6585, section 5): it was not sent. */
export function tooLargeRequest({ site, target }: Server): Failure {
  const reason = `at ${site}, ${target} takes no requests with so many header fields`;
  return { status: 431, reason, untouched: true, isTooLarge: true };
}

export function tooLargeResponse({ site, target }: Server): Failure {
  const reason = `at ${site}, ${target} answered with more header fields than the client takes`;
  return { status: 502, reason, untouched: false, isTooLarge: true };
}

/** The sentence for people. */
export function sentenceFor(address: string, { reason }: Failure): string {
  return `${address} did not answer: ${reason}.`;
}

/** The fields, and the text, with which a request without gRPC ends. */
export function failureAnswer(address: string, failure: Failure): { fields: Fields; text: string } {
  const text = `${sentenceFor(address, failure)}\n`;
  const fields = [
    field(':status', String(failure.status)),
    field('content-type', 'text/plain; charset=utf-8'),
    field('content-length', String(Buffer.byteLength(text))),
  ];
  return { fields, text };
}

/** The fields of a response that is nothing but gRPC's status: "Trailers-Only" of gRPC over HTTP/2. */
export function grpcAnswer(address: string, failure: Failure, contentType: string): Fields {
  return [field(':status', '200'), field('content-type', contentType), ...grpcTrailers(address, failure)];
}

/** gRPC's status, for the end of a response that has begun. */
export function grpcTrailers(address: string, failure: Failure): Fields {
  return [
    field('grpc-status', String(grpcStatus(failure))),
    field('grpc-message', percentEncoded(sentenceFor(address, failure))),
  ];
}

/** A server that is not reached in time is unavailable: the deadline is the client's own, and has not passed. So does gRPC itself read 504. */
function grpcStatus({ isTooLarge }: Failure): number {
  return isTooLarge ? GRPC_RESOURCE_EXHAUSTED : GRPC_UNAVAILABLE;
}

/** Everything but printable ASCII, and the percent sign itself, as the bytes of UTF-8 ("Percent-Encoded" of gRPC over HTTP/2). */
export function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text))
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}
