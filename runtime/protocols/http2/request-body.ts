import type { Readable } from 'node:stream';
import type { Call } from './call.ts';
import type { Fields } from './fields.ts';
import { isGone } from './relay.ts';

/**
 * The body of a request on its way to a server, at the server's pace. Its beginning is kept for as long as the request might have to be
 * sent to another server.
 */
export class RequestBody {
  readonly #source: Readable;
  readonly #trailers: () => Fields | undefined;
  readonly #mostBytes: number;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #call: Call | undefined;
  #started = false;
  #ended = false;

  /** Keeps at most so many bytes. `trailers` is asked once the body has ended. */
  constructor(source: Readable, mostBytes: number, trailers: () => Fields | undefined) {
    this.#source = source;
    this.#mostBytes = mostBytes;
    this.#trailers = trailers;
    // An empty body ends by itself, before anybody reads it.
    source.once('end', () => {
      this.#ended = true;
      const call = this.#call;
      if (call && !isGone(call.body)) call.end(this.#trailers());
    });
  }

  /** All that was read of it is there still. */
  get isKept(): boolean {
    return this.#kept !== undefined;
  }

  /** Sends it: from its beginning, and then as it comes. */
  sendTo(call: Call): void {
    this.#call = call;
    for (const chunk of this.#kept ?? []) call.body.write(chunk);
    call.body.on('drain', () => {
      if (this.#call === call) this.#source.resume();
    });
    if (this.#ended) call.end(this.#trailers());
    else if (this.#started) this.#source.resume();
    else this.#start();
  }

  /** Reads no further until it is sent to the next. */
  stop(): void {
    this.#call = undefined;
    if (this.#started && !this.#ended) this.#source.pause();
  }

  /** It will not be sent again. */
  forget(): void {
    this.#kept = undefined;
  }

  #start(): void {
    this.#started = true;
    this.#source.on('data', (chunk: Buffer) => this.#pass(chunk));
  }

  #pass(chunk: Buffer): void {
    if (this.#kept) {
      this.#keptBytes += chunk.length;
      if (this.#keptBytes > this.#mostBytes) this.#kept = undefined;
      else this.#kept.push(chunk);
    }
    const body = this.#call?.body;
    if (!body || isGone(body) || !body.write(chunk)) this.#source.pause();
  }
}
