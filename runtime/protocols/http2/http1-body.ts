import type { Readable, Writable } from 'node:stream';

/** So much of a body may be on its way to whoever takes it. Bytes. */
const WINDOW_BYTES = 128 * 1024;

/** A body that node:http reads, at the pace of whoever takes it. */
export class BodyReader {
  readonly #body: Readable;
  #untaken = 0;

  constructor(body: Readable, read: (chunk: Buffer) => void) {
    this.#body = body;
    body.on('data', (chunk: Buffer) => {
      this.#untaken += chunk.length;
      if (this.#untaken >= WINDOW_BYTES) body.pause();
      read(chunk);
    });
  }

  /** So many bytes have gone where they should. */
  taken(bytes: number): void {
    this.#untaken -= bytes;
    if (this.#untaken < WINDOW_BYTES) this.#body.resume();
  }
}

/** Writes to what may be over already; `sent` is told once the bytes have left. */
export function writeTo(body: Writable, chunk: Buffer, sent: (bytes: number) => void): void {
  if (body.destroyed || body.writableEnded) return;
  body.write(chunk, (error) => {
    if (!error) sent(chunk.length);
  });
}
