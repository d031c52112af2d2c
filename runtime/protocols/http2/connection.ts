import type { Duplex } from 'node:stream';
import { GrowingBuffer } from '../http/growing-buffer.ts';
import { Ring } from '../../link/ring.ts';
import { fieldOf, type Fields } from './field.ts';
import { FrameWriter } from './frame-writer.ts';
import {
  ConnectionError,
  ErrorCode,
  FIRST_WINDOW_BYTES,
  Flag,
  FRAME_BYTES,
  FrameType,
  HEADER_BYTES,
  MAX_WINDOW_BYTES,
  PREFACE,
  Setting,
} from './frames.ts';
import { CompressionError } from './hpack/compression-error.ts';
import { HpackDecoder, type FieldLimits } from './hpack/decoder.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import { checkRequest, MalformedError } from './message-rules.ts';
import { RecentStreams } from './recent-streams.ts';
import { Http2Stream, type StreamCarrier } from './stream.ts';

/** All streams together may have so many windows on their way, which are given back at once: one stream never stops another. */
const CONNECTION_WINDOWS = 4;
/** Data is taken from the streams until so much of it waits for one write. Bytes. */
const WRITE_BYTES = 64 * 1024;
/** CONTINUATION frames of one block of fields: what nghttp2 allows. */
const MAX_CONTINUATIONS = 8;
/** Answers that wait for an end that does not read: what nghttp2 allows (CVE-2019-9512, CVE-2019-9515). */
const MAX_UNREAD_ANSWERS = 1000;
/** How long an end that is cut off may take to hear why. Milliseconds. */
const LINGER_MS = 1000;
const PING_BYTES = 8;

export interface ConnectionLimits extends FieldLimits {
  /** What one stream of the other end may have on its way. Bytes. */
  windowBytes: number;
  /** Streams that the other end may open at a time. */
  streams: number;
  /** Frames that are against the protocol, or of no use; streams that are refused. In all. */
  invalidFrames: number;
  rejectedStreams: number;
}

export interface ConnectionEvents {
  /** The other end opened a stream: set its `events` at once. */
  stream(stream: Http2Stream, fields: Fields): void;
  /** It has said what it takes: `maxStreams`. */
  settings(): void;
  pinged(): void;
  /** It takes no further streams; those above `lastStream` were not looked at. */
  goaway(code: number, lastStream: number): void;
  /** Once, before its streams are closed. `problem`: what the other end did that is not allowed. */
  closed(problem: ConnectionError | undefined): void;
}

/** One end of a connection in HTTP/2 (RFC 9113): many streams over one `Duplex`. */
export class Http2Connection implements StreamCarrier {
  readonly writer = new FrameWriter();
  readonly windowBytes: number;
  /** Streams that this end may open at a time. */
  maxStreams = Number.POSITIVE_INFINITY;
  readonly #socket: Duplex;
  readonly #isServer: boolean;
  readonly #limits: ConnectionLimits;
  readonly #events: ConnectionEvents;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #decoder = new HpackDecoder();
  readonly #encoder = new HpackEncoder();
  readonly #ready = new Ring<Http2Stream>();
  /** A frame that has not come whole. */
  #held: GrowingBuffer | undefined;
  /** Bytes of the client's preface that are still to come. */
  #prefaceLeft: number;
  #hasSettings = false;
  /** A block of fields that goes on: frames so far, and what they brought. */
  #block: { id: number; ended: boolean; frames: number; bytes: GrowingBuffer } | undefined;
  readonly #brokenOff = new RecentStreams();
  #lastOpened = 0;
  #nextStream = 1;
  /** What all streams together may still send, and what the other end's may. Bytes. */
  #credit = FIRST_WINDOW_BYTES;
  #window: number;
  #initialCredit = FIRST_WINDOW_BYTES;
  #invalidFrames = 0;
  #rejectedStreams = 0;
  #unreadAnswers = 0;
  readonly #pings: (() => void)[] = [];
  #isScheduled = false;
  /** The socket has enough. */
  #isHeld = false;
  #isClosing = false;
  #isOver = false;

  constructor(socket: Duplex, isServer: boolean, limits: ConnectionLimits, events: ConnectionEvents) {
    this.#socket = socket;
    this.#isServer = isServer;
    this.#limits = limits;
    this.#events = events;
    this.windowBytes = limits.windowBytes;
    this.#window = limits.windowBytes * CONNECTION_WINDOWS;
    this.#prefaceLeft = isServer ? PREFACE.length : 0;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => {
      this.#isHeld = false;
      this.#unreadAnswers = 0;
      this.#flush();
    });
    socket.on('end', () => {
      // Nothing can be asked or answered any more, not even that more may be sent.
      this.#end();
      this.#over(undefined);
    });
    socket.on('close', () => this.#over(undefined));
    this.#greet();
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Takes, or opens, no further streams. */
  get isClosing(): boolean {
    return this.#isClosing || this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens a stream with a request. `ended`: it has no body, and no trailers. */
  request(fields: Fields, ended: boolean): Http2Stream {
    const isHead = fieldOf(fields, ':method') === 'HEAD';
    const stream = new Http2Stream(this.#nextStream, this, this.#initialCredit, { hasHead: false, isHead });
    this.#nextStream += 2;
    this.#streams.set(stream.id, stream);
    stream.sendFields(fields, ended);
    return stream;
  }

  /** `answered` is called when the other end has answered. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    this.writer.frame(FrameType.ping, 0, 0, Buffer.alloc(PING_BYTES));
    this.kick();
  }

  /** GOAWAY: streams that are open go on, and the connection ends behind the last. */
  close(): void {
    if (this.isClosing) return;
    this.#isClosing = true;
    this.#writeGoaway(ErrorCode.none);
    this.kick();
  }

  /** Ends it at once: the other end is told why. `code`: RFC 9113, section 7. */
  cutOff(code: number, problem?: ConnectionError): void {
    if (this.#isOver) return;
    this.#writeGoaway(code);
    this.#write();
    this.#end();
    this.#over(problem);
  }

  over(stream: Http2Stream, wasReset: boolean): void {
    this.#streams.delete(stream.id);
    if (wasReset) this.#brokenOff.add(stream.id);
    if (this.#isClosing) this.kick();
  }

  writeFields(id: number, fields: Fields, isEnd: boolean): void {
    const block = this.#encoder.encode(fields);
    const end = isEnd ? Flag.endStream : 0;
    let size = Math.min(block.length, FRAME_BYTES);
    const isWhole = size === block.length;
    this.writer.frame(
      FrameType.headers,
      end | (isWhole ? Flag.endHeaders : 0),
      id,
      isWhole ? block : Buffer.from(block.subarray(0, size)),
    );
    for (let at = size; at < block.length; at += size) {
      size = Math.min(block.length - at, FRAME_BYTES);
      const flags = at + size === block.length ? Flag.endHeaders : 0;
      this.writer.frame(FrameType.continuation, flags, id, Buffer.from(block.subarray(at, at + size)));
    }
    this.kick();
  }

  ready(stream: Http2Stream): void {
    stream.isReady = true;
    this.#ready.push(stream);
    this.kick();
  }

  /** What is written in one turn leaves in one write. */
  kick(): void {
    if (this.#isScheduled || this.#isOver) return;
    this.#isScheduled = true;
    process.nextTick(this.#flush);
  }

  #greet(): void {
    const { streams, windowBytes, headerBytes } = this.#limits;
    const settings = [
      this.#isServer ? [Setting.maxConcurrentStreams, streams] : [Setting.enablePush, 0],
      [Setting.initialWindowSize, windowBytes],
      [Setting.maxHeaderListSize, headerBytes],
    ] as const;
    const payload = Buffer.alloc(settings.length * 6);
    for (const [at, [id, value]] of settings.entries()) {
      payload.writeUInt16BE(id, at * 6);
      payload.writeUInt32BE(value, at * 6 + 2);
    }
    if (!this.#isServer) this.#socket.write(PREFACE);
    this.writer.frame(FrameType.settings, 0, 0, payload);
    this.writer.number(FrameType.windowUpdate, 0, this.#window - FIRST_WINDOW_BYTES);
    this.kick();
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    if (this.#isOver) return;
    do {
      if (!this.#isHeld) this.#gather();
      this.#write();
    } while (!this.#isHeld && this.#ready.size > 0 && this.#credit > 0);
    if (!this.#isClosing || this.#streams.size > 0) return;
    this.#end();
    this.#over(undefined);
  };

  /** Takes one frame of each stream in turns. */
  #gather(): void {
    while (this.#credit > 0 && this.writer.size < WRITE_BYTES) {
      const stream = this.#ready.shift();
      if (!stream) return;
      stream.isReady = false;
      const size = stream.sendSome(this.#credit);
      this.#credit -= size;
      if (size > 0 && stream.hasUnsent && !stream.isReady) {
        stream.isReady = true;
        this.#ready.push(stream);
      }
    }
  }

  #write(): void {
    const pieces = this.writer.take();
    if (pieces.length === 0 || this.#socket.destroyed || this.#socket.writableEnded) return;
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) if (!this.#socket.write(piece)) this.#isHeld = true;
    if (pieces.length > 1) this.#socket.uncork();
  }

  #end(): void {
    const socket = this.#socket;
    socket.end(() => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  #over(problem: ConnectionError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.closed(problem);
    for (const stream of this.#streams.values()) stream.close(ErrorCode.cancel);
  }

  #writeGoaway(code: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(this.#isServer ? this.#lastOpened : 0, 0);
    payload.writeUInt32BE(code, 4);
    this.writer.frame(FrameType.goaway, 0, 0, payload);
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#readFrames(this.#prefaceLeft > 0 ? this.#readPreface(chunk) : chunk);
    } catch (error) {
      const problem = error instanceof CompressionError ? new ConnectionError(ErrorCode.compression, error.message) : error;
      if (!(problem instanceof ConnectionError)) throw error;
      this.cutOff(problem.code, problem);
    }
  }

  #readPreface(chunk: Buffer): Buffer {
    const from = PREFACE.length - this.#prefaceLeft;
    const size = Math.min(this.#prefaceLeft, chunk.length);
    if (PREFACE.compare(chunk, 0, size, from, from + size) !== 0)
      throw new ConnectionError(ErrorCode.protocol, 'it does not greet as a client of HTTP/2 does');
    this.#prefaceLeft -= size;
    return chunk.subarray(size);
  }

  #readFrames(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#held) {
      this.#held.add(chunk);
      ({ bytes } = this.#held);
    }
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_BYTES) throw new ConnectionError(ErrorCode.frameSize, 'a frame is larger than it may be');
      const from = at + HEADER_BYTES;
      if (bytes.length < from + length) break;
      at = from + length;
      this.#frame(bytes[from - 6]!, bytes[from - 5]!, bytes.readUInt32BE(from - 4) & MAX_WINDOW_BYTES, bytes.subarray(from, at));
      // What comes behind the frame for which it was cut off is for nobody.
      if (this.#isOver) return;
    }
    if (this.#held && at === 0) return;
    // What was read out of it is still in use: the rest goes into a new one.
    this.#held = at < bytes.length ? new GrowingBuffer() : undefined;
    this.#held?.add(bytes.subarray(at));
  }

  /** A message that is malformed costs its stream. */
  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    try {
      this.#take(type, flags, id, payload);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#streams.get(id)?.reset(ErrorCode.protocol);
    }
  }

  #take(type: number, flags: number, id: number, payload: Buffer): void {
    if (!this.#hasSettings && (type !== FrameType.settings || flags & Flag.ack))
      throw new ConnectionError(ErrorCode.protocol, 'it does not begin with its settings');
    if (this.#block && (type !== FrameType.continuation || id !== this.#block.id))
      throw new ConnectionError(ErrorCode.protocol, 'a block of fields is broken off');
    switch (type) {
      case FrameType.data:
        return this.#data(flags, id, payload);
      case FrameType.headers:
        return this.#headers(flags, id, payload);
      case FrameType.continuation:
        return this.#continuation(flags, payload);
      case FrameType.windowUpdate:
        return this.#windowUpdate(id, payload);
      case FrameType.reset:
        return this.#reset(id, payload);
      case FrameType.settings:
        return this.#settings(flags, id, payload);
      case FrameType.ping:
        return this.#ping(flags, id, payload);
      case FrameType.goaway:
        return this.#goaway(id, payload);
      case FrameType.priority:
        if (id === 0) throw new ConnectionError(ErrorCode.protocol, 'a priority is of no stream');
        return sized(payload, 5);
      case FrameType.pushPromise:
        throw new ConnectionError(ErrorCode.protocol, 'it pushes, which was refused');
      default:
        // RFC 9113, section 5.5.
        return undefined;
    }
  }

  #data(flags: number, id: number, payload: Buffer): void {
    this.#takeWindow(payload.length);
    const chunk = unpadded(flags, payload, 0);
    const ended = (flags & Flag.endStream) !== 0;
    if (chunk.length === 0 && !ended) this.#invalid('data of no bytes');
    const stream = this.#streams.get(id);
    if (stream) stream.receivedData(chunk, payload.length, ended);
    else this.#speaksOf(id);
  }

  /** All streams together. Their readers stop them one by one. */
  #takeWindow(bytes: number): void {
    this.#window -= bytes;
    if (this.#window < 0) throw new ConnectionError(ErrorCode.flowControl, 'it sends more than the window takes');
    const full = this.windowBytes * CONNECTION_WINDOWS;
    if (this.#window > full / 2) return;
    this.writer.number(FrameType.windowUpdate, 0, full - this.#window);
    this.#window = full;
    this.kick();
  }

  #headers(flags: number, id: number, payload: Buffer): void {
    if (id === 0) throw new ConnectionError(ErrorCode.protocol, 'fields are of no stream');
    const block = unpadded(flags, payload, flags & Flag.priority ? 5 : 0);
    const ended = (flags & Flag.endStream) !== 0;
    if (flags & Flag.endHeaders) return this.#fields(id, ended, block);
    const bytes = new GrowingBuffer();
    bytes.add(block);
    this.#block = { id, ended, frames: 0, bytes };
    return undefined;
  }

  #continuation(flags: number, payload: Buffer): void {
    const block = this.#block;
    if (!block) throw new ConnectionError(ErrorCode.protocol, 'a block of fields goes on that has not begun');
    if (++block.frames > MAX_CONTINUATIONS)
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'a block of fields does not end');
    block.bytes.add(payload);
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = undefined;
    this.#fields(block.id, block.ended, block.bytes.bytes);
  }

  /** Whatever becomes of them, they are read: the tables of both ends must stay the same. */
  #fields(id: number, ended: boolean, block: Buffer): void {
    const fields = this.#decoder.decode(block, this.#limits);
    const stream = this.#streams.get(id);
    if (stream) {
      if (fields) stream.receivedFields(fields, ended);
      else stream.reset(ErrorCode.enhanceYourCalm);
    } else if (this.#isServer && id > this.#lastOpened) this.#opened(id, fields, ended);
    else this.#speaksOf(id);
  }

  #opened(id: number, fields: Fields | undefined, ended: boolean): void {
    if (id % 2 === 0) throw new ConnectionError(ErrorCode.protocol, 'a stream has a number that is not the client’s');
    this.#lastOpened = id;
    if (this.#isClosing) return this.#refuse(id, ErrorCode.refusedStream);
    if (this.#streams.size >= this.#limits.streams) {
      if (++this.#rejectedStreams > this.#limits.rejectedStreams)
        throw new ConnectionError(ErrorCode.enhanceYourCalm, 'it opens more streams than it may');
      return this.#refuse(id, ErrorCode.refusedStream);
    }
    if (!fields) return this.#refuse(id, ErrorCode.enhanceYourCalm);
    let left: number | undefined;
    try {
      left = checkRequest(fields, ended);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return this.#refuse(id, ErrorCode.protocol);
    }
    const stream = new Http2Stream(id, this, this.#initialCredit, { hasHead: true, ended, left });
    this.#streams.set(id, stream);
    return this.#events.stream(stream, fields);
  }

  #refuse(id: number, code: number): void {
    this.#invalid('streams that are none');
    this.#answer();
    this.#brokenOff.add(id);
    this.writer.number(FrameType.reset, id, code);
    this.kick();
  }

  /** A stream of that number; undefined where it is over. Throws where there never was one. */
  #open(id: number): Http2Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream) return stream;
    const isIdle = this.#isServer ? id > this.#lastOpened || id % 2 === 0 : id >= this.#nextStream || id % 2 === 0;
    if (isIdle) throw new ConnectionError(ErrorCode.protocol, 'it speaks of a stream that nobody opened');
    return undefined;
  }

  /** A message goes on, on a stream that is over: it was on its way already where this end broke it off, else it is against the protocol. */
  #speaksOf(id: number): void {
    this.#open(id);
    if (!this.#brokenOff.has(id)) throw new ConnectionError(ErrorCode.streamClosed, 'it goes on with a stream that it has ended');
  }

  #windowUpdate(id: number, payload: Buffer): void {
    sized(payload, 4);
    const bytes = payload.readUInt32BE(0) & MAX_WINDOW_BYTES;
    if (id === 0) {
      if (bytes === 0) throw new ConnectionError(ErrorCode.protocol, 'it opens its window by nothing');
      this.#credit += bytes;
      if (this.#credit > MAX_WINDOW_BYTES) throw new ConnectionError(ErrorCode.flowControl, 'it opens its window too far');
      if (this.#ready.size > 0) this.kick();
      return;
    }
    const stream = this.#open(id);
    if (!stream) return;
    if (bytes === 0) stream.reset(ErrorCode.protocol);
    else if (!stream.receivedCredit(bytes)) stream.reset(ErrorCode.flowControl);
  }

  #reset(id: number, payload: Buffer): void {
    sized(payload, 4);
    this.#open(id)?.close(payload.readUInt32BE(0));
  }

  #settings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw new ConnectionError(ErrorCode.protocol, 'settings are of a stream');
    if (flags & Flag.ack) return sized(payload, 0);
    if (payload.length % 6 !== 0) throw new ConnectionError(ErrorCode.frameSize, 'settings are cut off');
    this.#hasSettings = true;
    for (let at = 0; at < payload.length; at += 6) this.#setting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.#answer();
    this.writer.frame(FrameType.settings, Flag.ack, 0, payload.subarray(0, 0));
    this.kick();
    return this.#events.settings();
  }

  #setting(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        return this.#encoder.limitTable(value);
      case Setting.enablePush:
        if (value > (this.#isServer ? 1 : 0))
          throw new ConnectionError(ErrorCode.protocol, 'a setting has a value that it cannot have');
        return undefined;
      case Setting.maxConcurrentStreams:
        this.maxStreams = value;
        return undefined;
      case Setting.initialWindowSize:
        return this.#setInitialCredit(value);
      case Setting.maxFrameSize:
        // Larger frames than all take are not sent.
        if (value < FRAME_BYTES || value >= 2 ** 24)
          throw new ConnectionError(ErrorCode.protocol, 'a setting has a value that it cannot have');
        return undefined;
      default:
        return undefined;
    }
  }

  /** RFC 9113, section 6.9.2: it holds for streams that are open, too. */
  #setInitialCredit(bytes: number): void {
    const more = bytes - this.#initialCredit;
    this.#initialCredit = bytes;
    const isTooFar = bytes > MAX_WINDOW_BYTES || [...this.#streams.values()].some((stream) => !stream.receivedCredit(more));
    if (isTooFar) throw new ConnectionError(ErrorCode.flowControl, 'it opens its windows too far');
  }

  #ping(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw new ConnectionError(ErrorCode.protocol, 'a ping is of a stream');
    sized(payload, PING_BYTES);
    if (flags & Flag.ack) return this.#pings.shift()?.();
    this.#answer();
    this.writer.frame(FrameType.ping, Flag.ack, 0, payload);
    this.kick();
    return this.#events.pinged();
  }

  #goaway(id: number, payload: Buffer): void {
    if (id !== 0) throw new ConnectionError(ErrorCode.protocol, 'it goes away on a stream');
    if (payload.length < 8) throw new ConnectionError(ErrorCode.frameSize, 'it goes away without a reason');
    const lastStream = payload.readUInt32BE(0) & MAX_WINDOW_BYTES;
    if (!this.#isServer) this.#isClosing = true;
    this.#events.goaway(payload.readUInt32BE(4), lastStream);
    if (this.#isServer) return;
    for (const stream of this.#streams.values()) if (stream.id > lastStream) stream.close(ErrorCode.refusedStream);
    this.kick();
  }

  /** One more frame that the other end makes this one send. */
  #answer(): void {
    if (this.#isHeld && ++this.#unreadAnswers > MAX_UNREAD_ANSWERS)
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'it does not read what it is answered');
  }

  #invalid(what: string): void {
    if (++this.#invalidFrames > this.#limits.invalidFrames)
      throw new ConnectionError(ErrorCode.enhanceYourCalm, `it sends too much that is of no use: ${what}`);
  }
}

/** Without its padding (RFC 9113, section 6.1), and without so much before it. */
function unpadded(flags: number, payload: Buffer, skip: number): Buffer {
  const isPadded = (flags & Flag.padded) !== 0;
  const from = (isPadded ? 1 : 0) + skip;
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (from > end) throw new ConnectionError(ErrorCode.protocol, 'a frame has more padding than bytes');
  return from === 0 ? payload : payload.subarray(from, end);
}

function sized(payload: Buffer, bytes: number): void {
  if (payload.length !== bytes) throw new ConnectionError(ErrorCode.frameSize, 'a frame has a size that it cannot have');
}
