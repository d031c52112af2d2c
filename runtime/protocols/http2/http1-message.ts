import { LOOKALIKES } from '../http/fields.ts';
import { NOT_BEHIND } from '../http/message-parser.ts';
import type { Fields } from './field.ts';
import type { Beginning } from './http1-fields.ts';
import { Pieces } from './pieces.ts';

/** Up to this all that goes out at once is put together: a copy is cheaper than a write. Bytes. */
const JOIN_BYTES = 8 * 1024;
/** So much of a body is handed over at a time: what has not been is counted as waiting, and may be given up. Bytes. */
const WRITE_BYTES = 64 * 1024;
const CRLF = Buffer.from('\r\n');

/** A connection of HTTP/1.1, as a message sees it. */
export interface Outlet {
  /** False: `drained` is to be called when more should come. */
  writeAll(pieces: readonly Buffer[]): boolean;
}

export interface MessageEvents {
  /** So many bytes of what was given to `write` have left. */
  sent(bytes: number): void;
  /** All of it has been handed over. */
  written(): void;
}

/** Writes one message (RFC 9112): what is said of it in one turn of the event loop leaves in one write, as the other end takes it. */
export class Http1Message {
  readonly #events: MessageEvents;
  #outlet: Outlet | undefined;
  #heads: Buffer[] = [];
  readonly #body = new Pieces();
  /** What ends it. */
  #ending: Buffer | undefined;
  #isChunked = false;
  #isScheduled = false;
  /** The outlet has enough, with so many bytes of the body that have not left. */
  #isHeld = false;
  #heldBytes = 0;
  #isOver = false;

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  /** Takes no more for now. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Where it goes: until that is known it is kept. */
  sendTo(outlet: Outlet): void {
    this.#outlet = outlet;
    if (this.#heads.length > 0) this.#schedule();
  }

  /** Of several heads the last is that of the body. */
  begin({ head, isChunked }: Beginning): void {
    this.#isChunked = isChunked;
    this.#heads.push(Buffer.from(head, 'latin1'));
    this.#schedule();
  }

  /** The next bytes of the body. */
  write(chunk: Buffer): void {
    if (this.#isOver || this.#ending || chunk.length === 0) return;
    this.#body.add(chunk);
    this.#schedule();
  }

  /** The body is complete. Only what has chunks has a place for trailers. */
  end(trailers: Fields | undefined): void {
    if (this.#isOver || this.#ending) return;
    this.#ending = this.#isChunked ? lastChunk(trailers) : Buffer.alloc(0);
    this.#schedule();
  }

  /** The outlet takes more. */
  drained(): void {
    const bytes = this.#heldBytes;
    this.#isHeld = false;
    this.#heldBytes = 0;
    if (bytes > 0) this.#events.sent(bytes);
    this.#flush();
  }

  /** Nothing more of it is sent. */
  stop(): void {
    this.#isOver = true;
    this.#heads = [];
    this.#body.clear();
  }

  #schedule(): void {
    if (this.#ending) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(() => {
        this.#isScheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    while (!this.#isOver && !this.#isHeld && this.#outlet) {
      const bytes = Math.min(this.#body.bytes, WRITE_BYTES);
      const isLast = this.#ending !== undefined && bytes === this.#body.bytes;
      const pieces = this.#take(bytes, isLast);
      if (pieces.length > 0) this.#isHeld = !this.#outlet.writeAll(pieces);
      if (this.#isHeld) this.#heldBytes = bytes;
      else if (bytes > 0) this.#events.sent(bytes);
      if (isLast) return this.#written();
      if (this.#body.bytes === 0) return undefined;
    }
    return undefined;
  }

  #written(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.written();
  }

  /** What is next to be written, with so many bytes of the body. */
  #take(bytes: number, isLast: boolean): Buffer[] {
    const pieces = this.#heads;
    this.#heads = [];
    if (bytes > 0 && this.#isChunked) pieces.push(Buffer.from(`${bytes.toString(16)}\r\n`));
    for (let left = bytes; left > 0; left -= pieces.at(-1)!.length) pieces.push(this.#body.take(left)!);
    if (bytes > 0 && this.#isChunked) pieces.push(CRLF);
    if (isLast && this.#ending!.length > 0) pieces.push(this.#ending!);
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    return pieces.length > 1 && size <= JOIN_BYTES ? [Buffer.concat(pieces, size)] : pieces;
  }
}

/** RFC 9112, section 7.1. */
function lastChunk(trailers: Fields = []): Buffer {
  const passed = trailers.filter(({ name }) => !NOT_BEHIND.has(name) && !LOOKALIKES.has(name));
  const lines = passed.map(({ name, value }) => `${name}: ${value}\r\n`);
  return Buffer.from(`0\r\n${lines.join('')}\r\n`, 'latin1');
}
