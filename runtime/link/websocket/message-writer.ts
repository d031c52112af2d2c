import type { Writable } from 'node:stream';
import { FIN, LENGTH_16, LENGTH_64, MASKED, MAX_CONTROL_BYTES, Opcode } from './opcodes.ts';

/** Small messages are copied into pieces of this, one behind another. Bytes. */
const CHUNK_BYTES = 16 * 1024;
/** A message up to this is copied; a larger one is a piece of its own. Bytes. */
const COPIED_BYTES = 5 * 1024;
/** Of a header, masked: RFC 6455, section 5.2. */
const MAX_HEADER_BYTES = 14;

/** Puts messages on a WebSocket. They are gathered until `flush`, and then written with one call: few pieces, and few TLS records. */
export class MessageWriter {
  readonly #socket: Writable;
  readonly #masked: boolean;
  #pieces: Buffer[] = [];
  #gathered = 0;
  #chunk: Buffer = Buffer.alloc(0);
  /** What of the chunk is in no piece yet. */
  #start = 0;
  #end = 0;

  /** @param masked whether this end is the client, which has to mask what it sends: RFC 6455, section 5.1 */
  constructor(socket: Writable, masked: boolean) {
    this.#socket = socket;
    this.#masked = masked;
  }

  /** Bytes that the system has not taken yet. */
  get waiting(): number {
    return this.#gathered + this.#end - this.#start + this.#socket.writableLength;
  }

  /** A message: where it is large its memory must not change until it is sent. */
  add(message: Buffer): void {
    const isCopied = message.length <= COPIED_BYTES;
    this.#header(Opcode.binary, message.length, isCopied);
    if (isCopied) this.#copy(message);
    else {
      this.#cut();
      this.#piece(message);
    }
  }

  /** A control frame; throws for a body that such a frame may not have. */
  addControl(opcode: number, body: Buffer): void {
    if (body.length > MAX_CONTROL_BYTES) throw new RangeError(`a control frame has ${body.length} bytes`);
    this.#header(opcode, body.length, true);
    this.#copy(body);
  }

  /** @param done called when the system has taken it, or the connection is gone */
  flush(done?: () => void): void {
    this.#cut();
    if (this.#pieces.length === 0) return done?.();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#gathered = 0;
    this.#socket.cork();
    const last = pieces.pop()!;
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.write(last, done && (() => done()));
    this.#socket.uncork();
  }

  /** Into the chunk, where the payload has room as well if it `follows`. */
  #header(opcode: number, size: number, follows: boolean): void {
    this.#reserve(MAX_HEADER_BYTES + (follows ? size : 0));
    const chunk = this.#chunk;
    const masked = this.#masked ? MASKED : 0;
    let at = this.#end;
    chunk[at++] = FIN | opcode;
    if (size < LENGTH_16) chunk[at++] = masked | size;
    else if (size < 2 ** 16) {
      chunk[at++] = masked | LENGTH_16;
      at = chunk.writeUInt16BE(size, at);
    } else {
      chunk[at++] = masked | LENGTH_64;
      at = chunk.writeUInt32BE(Math.floor(size / 2 ** 32), at);
      at = chunk.writeUInt32BE(size % 2 ** 32, at);
    }
    // TLS carries this WebSocket, or it carries TLS (a tunnel), so no proxy can be fooled by what it looks like (RFC 6455, section 10.3): a
    // mask of zeros is as good, and costs nothing.
    if (masked) at = chunk.writeUInt32BE(0, at);
    this.#end = at;
  }

  #reserve(bytes: number): void {
    if (this.#chunk.length - this.#end >= bytes) return;
    this.#cut();
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#start = 0;
    this.#end = 0;
  }

  #copy(bytes: Buffer): void {
    this.#chunk.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Makes a piece of what stands in the chunk. */
  #cut(): void {
    if (this.#end === this.#start) return;
    this.#piece(this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #piece(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#gathered += bytes.length;
  }
}
