import type { Call } from './call.ts';
import type { Fields } from './field.ts';
import { Pieces } from './pieces.ts';

/**
 * The body of a request on its way to a server, at the server's pace. Its beginning is kept for as long as the request might have to be
 * sent to another server.
 */
export class RequestBody {
  readonly #taken: (bytes: number) => void;
  readonly #mostBytes: number;
  #kept: Pieces | undefined = new Pieces();
  #keptBytes = 0;
  #call: Call | undefined;
  #hasEnded = false;
  #trailers: Fields | undefined;
  /** Bytes that have left for this server, and for any. */
  #sentHere = 0;
  #sentOnce = 0;

  /** Keeps at most so many bytes once they are on their way. `taken` is told of those that have left for the first time. */
  constructor(mostBytes: number, taken: (bytes: number) => void) {
    this.#mostBytes = mostBytes;
    this.#taken = taken;
  }

  /** All that came of it is there still. */
  get isKept(): boolean {
    return this.#kept !== undefined;
  }

  /** All of it came. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  add(chunk: Buffer): void {
    this.#kept?.add(chunk);
    this.#keptBytes += chunk.length;
    this.#call?.write(chunk);
    if (this.#call) this.#limit();
  }

  end(trailers: Fields | undefined): void {
    this.#hasEnded = true;
    this.#trailers = trailers;
    this.#call?.end(trailers);
  }

  /** Sends it: from its beginning, and then as it comes. */
  sendTo(call: Call): void {
    this.#call = call;
    this.#sentHere = 0;
    for (const chunk of this.#kept?.all ?? []) call.write(chunk);
    if (this.#hasEnded) call.end(this.#trailers);
    this.#limit();
  }

  /** So many bytes of it have left for the server. */
  sent(bytes: number): void {
    this.#sentHere += bytes;
    const first = this.#sentHere - this.#sentOnce;
    if (first <= 0) return;
    this.#sentOnce = this.#sentHere;
    this.#taken(first);
  }

  /** What comes waits until it is sent to the next. */
  stop(): void {
    this.#call = undefined;
  }

  /** It will not be sent again. */
  forget(): void {
    this.#kept = undefined;
  }

  #limit(): void {
    if (this.#keptBytes > this.#mostBytes) this.forget();
  }
}
