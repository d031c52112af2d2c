import { GatheredBytes } from './gathered-bytes.ts';
import { HttpError } from './http-error.ts';
import type { Framing } from './head.ts';
import { readFieldLines } from './fields.ts';
import type { HttpLimits } from './limits.ts';
import { CR, FIELD, HEX, HTAB, LF, SEMICOLON, SP, TOKEN } from './octets.ts';

/** What a message is handed to. */
export interface MessageSink<Head> {
  /** Says how the body is framed. */
  head(head: Head): Framing;
  /** The next bytes of the body as they came; where the parser unchunks, of what it carries. */
  body(piece: Buffer): void;
  /** `trailers`: where the parser unchunks, the lines of the fields behind the body, checked, with the empty line that ends them. */
  end(trailers?: Buffer): void;
}

type State =
  | 'head'
  | 'length'
  | 'until-close'
  | 'size'
  | 'size-space'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'broken';

const HEAD_END = Buffer.from('\r\n\r\n');
/** Larger chunks could not be counted exactly. */
const MAX_SIZE_DIGITS = 13;

/**
 * Reads the messages of one direction of a connection (RFC 9112), in whatever pieces they come. Bytes of a body are passed on as they are,
 * not copied; the framing between them is checked. Of what can be read in two ways nothing is let through: `feed` throws an `HttpError`.
 */
export class MessageParser<Head> {
  /** Takes chunks apart, and passes on what they carry, and what is behind them. Set before a body begins, for one message. */
  unchunks = false;
  readonly #parse: (bytes: Buffer, limits: HttpLimits) => Head;
  readonly #sink: MessageSink<Head>;
  readonly #limits: HttpLimits;
  /** An empty line before it is no matter then (RFC 9112, section 2.2). */
  readonly #isRequest: boolean;
  #state: State = 'head';
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #digits = 0;
  /** Bytes of the line that starts a chunk. */
  #lineBytes = 0;
  /** A head or trailer that is not complete yet. */
  #held: GatheredBytes | undefined;
  /** So many bytes of a head that is not complete are in order so far. */
  #checked = 0;

  constructor(
    kind: 'request' | 'response',
    parse: (bytes: Buffer, limits: HttpLimits) => Head,
    sink: MessageSink<Head>,
    limits: HttpLimits,
  ) {
    this.#isRequest = kind === 'request';
    this.#parse = parse;
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Whether it stands between two messages. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#held === undefined;
  }

  /** Whether a head has begun and is not complete. */
  get isInHead(): boolean {
    return this.#state === 'head' && this.#held !== undefined;
  }

  /** Takes the next bytes. Stops at the end of a message, and returns what came behind it. */
  feed(chunk: Buffer): Buffer | undefined {
    try {
      return this.#feed(chunk);
    } catch (error) {
      this.#state = 'broken';
      throw error;
    }
  }

  /** Nothing comes any more. Returns whether that is no loss: between two messages, or where a body goes on until then. */
  finish(): boolean {
    if (this.#state !== 'until-close') return this.isIdle;
    this.#end();
    return true;
  }

  #feed(chunk: Buffer): Buffer | undefined {
    let rest = chunk;
    while (this.#state === 'head') {
      const bytes = this.#held !== undefined ? this.#hold(rest) : rest;
      const end = this.#headEnd(bytes);
      if (end === -1) {
        if (this.#held === undefined) this.#hold(bytes);
        return undefined;
      }
      this.#letGo();
      const framing = this.#sink.head(this.#parse(bytes.subarray(this.#emptyLine(bytes), end), this.#limits));
      rest = bytes.subarray(end);
      if (framing === 0) return this.#end(rest);
      this.#begin(framing);
      if (rest.length === 0) return undefined;
    }
    return this.#feedBody(rest);
  }

  #begin(framing: Framing): void {
    if (framing === 'interim') return;
    if (framing === 'until-close') this.#state = 'until-close';
    else if (framing === 'chunked') this.#startChunk();
    else {
      this.#state = 'length';
      this.#left = framing;
    }
  }

  #end(rest?: Buffer, trailers?: Buffer): Buffer | undefined {
    this.#state = 'head';
    this.unchunks = false;
    this.#sink.end(trailers);
    return rest && rest.length > 0 ? rest : undefined;
  }

  /** Where the head ends that `bytes` begin with; -1 where it goes on. What is wrong in it already is not waited for. */
  #headEnd(bytes: Buffer): number {
    const { headBytes, requestLineBytes } = this.#limits;
    const from = this.#emptyLine(bytes);
    const found = bytes.indexOf(HEAD_END, Math.max(from, this.#checked - HEAD_END.length + 1));
    const end = found + HEAD_END.length;
    if (found !== -1 && end - from <= headBytes) return end;
    this.#checkPart(bytes, from, Math.min(bytes.length, from + headBytes));
    const size = bytes.length - from;
    if (this.#isRequest && size > requestLineBytes && !bytes.subarray(from, from + requestLineBytes).includes(LF))
      throw new HttpError(414, `has a first line of more than ${requestLineBytes} bytes`);
    if (size > headBytes) throw new HttpError(431, `has a head of more than ${headBytes} bytes`);
    this.#checked = bytes.length;
    return -1;
  }

  /** Bytes of the empty line that is skipped. */
  #emptyLine(bytes: Buffer): number {
    return this.#isRequest && bytes[0] === CR && bytes[1] === LF ? 2 : 0;
  }

  /** Throws what parsing would throw later, as soon as a byte has come that no head may have. */
  #checkPart(bytes: Buffer, from: number, to: number): void {
    for (let at = Math.max(from, this.#checked); at < to; at++) {
      const byte = bytes[at]!;
      const isPair = (byte === LF) === (at > from && bytes[at - 1] === CR);
      const isFirst = at === from && TOKEN[byte] !== 1 && !(byte === CR && this.#isRequest && at === 0);
      if (isPair && !isFirst && (byte === CR || byte === LF || FIELD[byte] === 1)) continue;
      this.#parse(bytes.subarray(from, at + 1), this.#limits);
      throw new HttpError(400, 'has a control character in its head');
    }
  }

  #feedBody(chunk: Buffer): Buffer | undefined {
    if (this.#state === 'length') {
      const size = this.#left;
      this.#left -= Math.min(size, chunk.length);
      this.#sink.body(size < chunk.length ? chunk.subarray(0, size) : chunk);
      return this.#left === 0 ? this.#end(chunk.subarray(size)) : undefined;
    }
    if (this.#state !== 'until-close') return this.#feedChunks(chunk);
    this.#sink.body(chunk);
    return undefined;
  }

  /** RFC 9112, section 7.1. */
  #feedChunks(chunk: Buffer): Buffer | undefined {
    let at = 0;
    while (at < chunk.length && this.#state !== 'trailer')
      if (this.#state === 'data') at = this.#skipData(chunk, at);
      else this.#framingByte(chunk[at++]!);
    if (this.#state !== 'trailer') {
      this.#pass(chunk, at);
      return undefined;
    }
    if (this.#held === undefined && chunk[at] === CR && chunk[at + 1] === LF) {
      this.#pass(chunk, at + 2);
      return this.#end(chunk.subarray(at + 2));
    }
    this.#pass(chunk, at);
    return at < chunk.length ? this.#feedTrailer(this.#hold(chunk.subarray(at))) : undefined;
  }

  #skipData(chunk: Buffer, at: number): number {
    const end = at + Math.min(this.#left, chunk.length - at);
    if (this.unchunks) this.#sink.body(chunk.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#state = 'data-cr';
    return end;
  }

  /** One byte between the data of two chunks. */
  #framingByte(byte: number): void {
    switch (this.#state) {
      case 'size':
        if (HEX[byte]! > 0 && this.#digits < MAX_SIZE_DIGITS) {
          this.#digits++;
          this.#left = this.#left * 16 + HEX[byte]! - 1;
          return;
        }
        if (this.#digits === 0 || HEX[byte]! > 0) break;
        return this.#behindSize(byte);
      case 'size-space':
        return this.#behindSize(byte);
      case 'extension':
        if (byte === CR) this.#state = 'size-lf';
        else if (FIELD[byte] !== 1) break;
        return this.#countLine();
      case 'size-lf':
        if (byte !== LF) break;
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        return;
      case 'data-cr':
        if (byte !== CR) break;
        this.#state = 'data-lf';
        return;
      case 'data-lf':
        if (byte !== LF) break;
        return this.#startChunk();
    }
    throw new HttpError(400, 'has a chunk that is not framed as it must be');
  }

  #behindSize(byte: number): void {
    if (byte === SEMICOLON) this.#state = 'extension';
    else if (byte === SP || byte === HTAB) this.#state = 'size-space';
    else if (byte === CR && this.#state === 'size') this.#state = 'size-lf';
    else throw new HttpError(400, 'has a chunk whose size is no number');
    this.#countLine();
  }

  #countLine(): void {
    if (++this.#lineBytes > this.#limits.chunkLineBytes)
      throw new HttpError(400, `has a chunk with extensions of more than ${this.#limits.chunkLineBytes} bytes`);
  }

  #startChunk(): void {
    this.#state = 'size';
    this.#left = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
  }

  /** Fields behind the last chunk go on once they are whole and right. */
  #feedTrailer(bytes: Buffer): Buffer | undefined {
    const { trailerBytes, fields } = this.#limits;
    const isEmpty = bytes[0] === CR && bytes[1] === LF;
    const found = isEmpty ? -2 : bytes.indexOf(HEAD_END);
    const end = found + HEAD_END.length;
    if ((found === -1 ? bytes.length : end) > trailerBytes)
      throw new HttpError(431, `has a trailer of more than ${trailerBytes} bytes`);
    if (found === -1) return undefined;
    const trailer = bytes.subarray(0, end);
    for (const { field } of readFieldLines(trailer, 0, end, fields))
      if (NOT_BEHIND.has(field)) throw new HttpError(400, `has a ${field} behind its body`);
    this.#letGo();
    const rest = bytes.subarray(end);
    if (this.unchunks) return this.#end(rest, isEmpty ? undefined : trailer);
    this.#sink.body(trailer);
    return this.#end(rest);
  }

  /** The first bytes of a chunked body's piece, checked, go on as they are. */
  #pass(chunk: Buffer, end: number): void {
    if (end > 0 && !this.unchunks) this.#sink.body(end === chunk.length ? chunk : chunk.subarray(0, end));
  }

  /** Keeps what cannot be judged yet. Returns all that is kept. */
  #hold(bytes: Buffer): Buffer {
    this.#held ??= new GatheredBytes();
    this.#held.add(bytes);
    return this.#held.bytes;
  }

  #letGo(): void {
    this.#held = undefined;
    this.#checked = 0;
  }
}

/** A field that says how to read a message is too late behind it (RFC 9110, section 6.5.1). */
export const NOT_BEHIND: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding']);
