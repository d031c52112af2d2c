import type { Duplex } from 'node:stream';
import type { Log } from '../../log.ts';
import type { Way } from '../listener.ts';
import type { ForwardedLines } from './forwarded-lines.ts';
import type { RequestHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import type { ServerPool } from './server-pool.ts';

/** What all clients of a listener share. */
export interface ClientContext {
  readonly way: Way;
  readonly log: Log;
  readonly limits: HttpLimits;
  /** The listener takes no further requests. */
  isClosing: boolean;
}

/** What all requests of a listener share. */
export interface HttpContext extends ClientContext {
  readonly pool: ServerPool;
  /** Copies of requests that are gathered, or have not been answered. */
  readonly copies: { underWay: number };
  /** What answers to requests that go to all servers may still be gathered. Bytes. */
  readonly fanOut: { left: number };
}

/** Says who works on a request. */
export type HandleRequest = (head: RequestHead, client: RequestClient) => RequestHandler;

/** What becomes of one request. */
export interface RequestHandler {
  /** Whether its answer has begun. */
  readonly hasAnswered: boolean;
  /** The head has come, and what came with it was handed over. */
  start(): void;
  /** The next bytes of the body, as they came. */
  body(piece: Buffer): void;
  /** The request is whole. `trailers`: as a `MessageSink` gets them. */
  ended(trailers?: Buffer): void;
  /** The client takes more. */
  drained(): void;
  /** The client has gone, or broke the protocol: nothing of its answer is wanted any more. */
  cancel(): void;
}

/** The client, as the handler of its request sees it. */
export interface RequestClient {
  readonly forwarded: ForwardedLines;
  /** The chunks of the request that has just come are taken apart. */
  unchunk(): void;
  /** The next bytes of the answer. False: `drained` is called when more should come. */
  write(bytes: Buffer): boolean;
  /** Several writes at once. */
  writeAll(pieces: readonly Buffer[]): boolean;
  /** No more of the body for now, or on with it. */
  holdBody(isHeld: boolean): void;
  /** The answer is whole. `closes`: the connection ends with it. */
  finished(closes: boolean): void;
  /** One sentence as the whole answer. */
  refuse(status: number, sentence: string): void;
  /** The answer ends before its end: the client must see that. */
  truncate(cause: Error): void;
  /** From here on both directions are bytes, after `first` to the client. */
  tunnel(stream: Duplex, first: Buffer): void;
}
