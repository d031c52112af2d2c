import type { Duplex } from 'node:stream';
import { defect } from '../../defects.ts';
import { fieldOf, type Field, type Fields } from './field.ts';
import { FieldBlocks } from './field-blocks.ts';
import { FrameReader } from './frame-reader.ts';
import {
  checkSize,
  ConnectionError,
  ErrorCode,
  FIRST_WINDOW_BYTES,
  Flag,
  FrameType,
  MAX_WINDOW_BYTES,
  PREFACE,
  unpadded,
} from './frames.ts';
import { CompressionError } from './hpack/compression-error.ts';
import type { FieldLimits } from './hpack/decoder.ts';
import { checkRequest, MalformedError } from './message-rules.ts';
import { Outgoing } from './outgoing.ts';
import { Patience, type PatienceLimits } from './patience.ts';
import { RecentStreams } from './recent-streams.ts';
import { decodeSettings, encodeSettings, Setting } from './settings.ts';
import { Http2Stream, type StreamCarrier } from './stream.ts';
import type { WindowGrowth } from './window-growth.ts';

/** How long an end that is cut off may take to hear why. Milliseconds. */
const LINGER_MS = 1000;
const PING_BYTES = 8;

export interface ConnectionLimits extends FieldLimits, PatienceLimits {
  /** What one stream of the other end may have on its way. Bytes. */
  windowBytes: number;
  /** What all of them together may. Bytes. */
  allWindowsBytes: number;
  /** Streams that the other end may open at a time. */
  streams: number;
}

export interface ConnectionEvents {
  /** The other end opened a stream: set its `events` at once. */
  stream(stream: Http2Stream, fields: Fields): void;
  /** It has said what it takes: `maxStreams`, `maxFieldBytes`. */
  settings(): void;
  pinged(): void;
  /** It takes no further streams; those above `lastStream` were not looked at. */
  goaway(code: number, lastStream: number): void;
  /** Once, before its streams are closed. `problem`: what the other end did that is not allowed. */
  closed(problem: ConnectionError | undefined): void;
}

/** One end of a connection in HTTP/2 (RFC 9113): many streams over one `Duplex`. */
export class Http2Connection implements StreamCarrier {
  readonly outgoing: Outgoing;
  readonly windowBytes: number;
  /** Streams that this end may open at a time. */
  maxStreams = Number.POSITIVE_INFINITY;
  /** Fields of a message that the other end takes (SETTINGS_MAX_HEADER_LIST_SIZE). Bytes. */
  maxFieldBytes = Number.POSITIVE_INFINITY;
  /** How long the other end took to confirm the settings of this one, which is asked of it anyway; undefined until then. */
  roundTripMs: number | undefined;
  readonly #socket: Duplex;
  readonly #isServer: boolean;
  readonly #limits: ConnectionLimits;
  readonly #events: ConnectionEvents;
  readonly #reader: FrameReader;
  readonly #blocks: FieldBlocks;
  readonly #patience: Patience;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #brokenOff = new RecentStreams();
  /** The last stream that the other end opened, and the next that this one will. */
  #lastOpened = 0;
  #nextStream = 1;
  /** What the other end's streams together may still send. Bytes. */
  #window: number;
  /** What the window of a stream has grown to. Bytes. */
  #usualWindow: number;
  /** When the other end was told the settings of this one. */
  readonly #greetedAt = performance.now();
  /** What may be sent on a new stream. Bytes. */
  #initialCredit = FIRST_WINDOW_BYTES;
  #hasSettings = false;
  readonly #pings: (() => void)[] = [];
  #isClosing = false;
  #isOver = false;

  constructor(socket: Duplex, isServer: boolean, limits: ConnectionLimits, events: ConnectionEvents) {
    this.#socket = socket;
    this.#isServer = isServer;
    this.#limits = limits;
    this.#events = events;
    this.windowBytes = limits.windowBytes;
    this.#window = limits.allWindowsBytes;
    this.#usualWindow = limits.windowBytes;
    this.outgoing = new Outgoing(socket, () => this.#endWhereDone());
    this.#reader = new FrameReader(isServer, (...frame) => this.#frame(...frame));
    this.#patience = new Patience(limits);
    this.#blocks = new FieldBlocks(limits, (...block) => this.#fields(...block));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
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

  /** Opens a stream with a request. `ended`: it has no body, and no trailers. `growth`: for its window. */
  request(fields: Fields, ended: boolean, growth: WindowGrowth): Http2Stream {
    const isHead = fieldOf(fields, ':method') === 'HEAD';
    const stream = new Http2Stream(this.#nextStream, this, this.#initialCredit, { hasHead: false, isHead, growth });
    this.#nextStream += 2;
    this.#streams.set(stream.id, stream);
    stream.sendFields(fields, ended);
    stream.openWindow(this.#usualWindow);
    return stream;
  }

  /** Looks for streams of which the other end has sent nothing for so long. Milliseconds. */
  review(now: number, stalledMs: number): void {
    for (const stream of this.#streams.values()) stream.review(now, stalledMs);
  }

  /** The window of a stream has grown: the way is long. */
  grew(windowBytes: number): void {
    this.#usualWindow = Math.max(this.#usualWindow, windowBytes);
  }

  /** `answered` is called when the other end has answered. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    this.#write(FrameType.ping, 0, Buffer.alloc(PING_BYTES));
  }

  /** GOAWAY: streams that are open go on, and the connection ends behind the last. */
  close(): void {
    if (this.isClosing) return;
    this.#isClosing = true;
    this.#writeGoaway(ErrorCode.none);
  }

  /** Ends it at once: the other end is told why. `code`: RFC 9113, section 7. */
  cutOff(code: number, problem?: ConnectionError): void {
    if (this.#isOver) return;
    this.#writeGoaway(code);
    this.outgoing.close();
    this.#end();
    this.#over(problem);
  }

  over(stream: Http2Stream, wasReset: boolean): void {
    this.#streams.delete(stream.id);
    if (wasReset) this.#brokenOff.add(stream.id);
    if (this.#isClosing) this.outgoing.kick();
  }

  #greet(): void {
    const { streams, windowBytes, headerBytes } = this.#limits;
    if (!this.#isServer) this.#socket.write(PREFACE);
    const settings = encodeSettings([
      this.#isServer ? [Setting.maxConcurrentStreams, streams] : [Setting.enablePush, 0],
      [Setting.initialWindowSize, windowBytes],
      [Setting.maxHeaderListSize, headerBytes],
    ]);
    this.#write(FrameType.settings, 0, settings);
    this.outgoing.writer.number(FrameType.windowUpdate, 0, this.#window - FIRST_WINDOW_BYTES);
  }

  /** A frame of the connection itself. */
  #write(type: number, flags: number, payload: Buffer): void {
    this.outgoing.writer.frame(type, flags, 0, payload);
    this.outgoing.kick();
  }

  #writeGoaway(code: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(this.#lastOpened, 0);
    payload.writeUInt32BE(code, 4);
    this.#write(FrameType.goaway, 0, payload);
  }

  #endWhereDone(): void {
    if (!this.#isClosing || this.#streams.size > 0) return;
    this.#end();
    this.#over(undefined);
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
    this.outgoing.close();
    this.#events.closed(problem);
    for (const stream of this.#streams.values()) stream.close(ErrorCode.cancel);
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#reader.read(chunk);
    } catch (error) {
      const problem = problemOf(error);
      this.cutOff(problem.code, problem);
    }
  }

  /** A message that is malformed costs its stream. */
  #frame(type: number, flags: number, id: number, payload: Buffer): boolean {
    if (!this.#hasSettings && (type !== FrameType.settings || flags & Flag.ack))
      throw new ConnectionError(ErrorCode.protocol, 'it does not begin with its settings');
    this.#blocks.check(type, id);
    try {
      if (id === 0) this.#ofConnection(type, flags, payload);
      else this.#ofStream(type, flags, id, payload);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#streams.get(id)?.reset(ErrorCode.protocol);
    }
    return !this.#isOver;
  }

  #ofStream(type: number, flags: number, id: number, payload: Buffer): void {
    switch (type) {
      case FrameType.data:
        return this.#data(flags, id, payload);
      case FrameType.headers:
        return this.#blocks.begin(flags, id, payload);
      case FrameType.continuation:
        return this.#blocks.goOn(flags, payload);
      case FrameType.windowUpdate:
        return this.#streamCredit(id, creditIn(payload));
      case FrameType.reset:
        checkSize(payload, 4);
        return this.#reset(id, payload.readUInt32BE(0));
      case FrameType.priority:
        // It is read over (RFC 9113, section 5.3.2).
        return checkSize(payload, 5);
      case FrameType.settings:
      case FrameType.ping:
      case FrameType.goaway:
      case FrameType.pushPromise:
        throw new ConnectionError(ErrorCode.protocol, 'a frame is of a stream that can be of none, or pushes, which was refused');
      default:
        // RFC 9113, section 5.5.
        return undefined;
    }
  }

  #ofConnection(type: number, flags: number, payload: Buffer): void {
    switch (type) {
      case FrameType.settings:
        return this.#settings(flags, payload);
      case FrameType.ping:
        return this.#ping(flags, payload);
      case FrameType.windowUpdate:
        return this.#connectionCredit(creditIn(payload));
      case FrameType.goaway:
        return this.#goaway(payload);
      default:
        if (type <= FrameType.continuation)
          throw new ConnectionError(ErrorCode.protocol, 'a frame is of no stream that must be of one');
        return undefined;
    }
  }

  #data(flags: number, id: number, payload: Buffer): void {
    this.#takeWindow(payload.length);
    const chunk = unpadded(flags, payload);
    const ended = (flags & Flag.endStream) !== 0;
    if (chunk.length === 0 && !ended) this.#patience.invalid('data of no bytes');
    const stream = this.#streams.get(id);
    if (stream) stream.receivedData(chunk, payload.length, ended);
    else this.#goesOn(id);
  }

  /** All streams together. Their readers stop them one by one. */
  #takeWindow(bytes: number): void {
    this.#window -= bytes;
    if (this.#window < 0) throw new ConnectionError(ErrorCode.flowControl, 'it sends more than the window takes');
    const full = this.#limits.allWindowsBytes;
    if (this.#window > full / 2) return;
    this.outgoing.writer.number(FrameType.windowUpdate, 0, full - this.#window);
    this.outgoing.kick();
    this.#window = full;
  }

  #fields(id: number, fields: Field[] | undefined, ended: boolean): void {
    const stream = this.#streams.get(id);
    if (stream && fields) stream.receivedFields(fields, ended);
    else if (stream) stream.reset(ErrorCode.enhanceYourCalm);
    else if (this.#isServer && id > this.#lastOpened) this.#opened(id, fields, ended);
    else this.#goesOn(id);
  }

  /** A client that takes a request back before its response is there has cancelled it, whatever it calls that (CVE-2023-44487). */
  #reset(id: number, code: number): void {
    const stream = this.#find(id);
    const isTakenBack = this.#isServer && code === ErrorCode.none && !stream?.hasSentEnd;
    stream?.close(isTakenBack ? ErrorCode.cancel : code);
  }

  #opened(id: number, fields: Field[] | undefined, ended: boolean): void {
    if (id % 2 === 0) throw new ConnectionError(ErrorCode.protocol, 'a stream has a number that is not a client’s');
    this.#lastOpened = id;
    // Responses without a body are frames that are not held back.
    this.#patience.answered(this.outgoing.isHeld);
    if (this.#isClosing) return this.#refuse(id, ErrorCode.refusedStream);
    if (this.#streams.size >= this.#limits.streams) {
      this.#patience.rejected();
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
    this.#patience.invalid('streams that are none');
    this.#patience.answered(this.outgoing.isHeld);
    this.#brokenOff.add(id);
    this.outgoing.writer.number(FrameType.reset, id, code);
    this.outgoing.kick();
  }

  /** A stream of that number; undefined where it is over. Throws where there never was one. */
  #find(id: number): Http2Stream | undefined {
    const stream = this.#streams.get(id);
    const wasOpened = id % 2 === 1 && (this.#isServer ? id <= this.#lastOpened : id < this.#nextStream);
    if (!stream && !wasOpened) throw new ConnectionError(ErrorCode.protocol, 'it speaks of a stream that nobody opened');
    return stream;
  }

  /** A message goes on, on a stream that is over: it was on its way where this end broke it off, else it is against the protocol. */
  #goesOn(id: number): void {
    this.#find(id);
    if (!this.#brokenOff.has(id)) throw new ConnectionError(ErrorCode.streamClosed, 'it goes on with a stream that it has ended');
  }

  #connectionCredit(bytes: number): void {
    if (bytes === 0) throw new ConnectionError(ErrorCode.protocol, 'it opens its window by nothing');
    if (!this.outgoing.receivedCredit(bytes)) throw new ConnectionError(ErrorCode.flowControl, 'it opens its window too far');
  }

  #streamCredit(id: number, bytes: number): void {
    const stream = this.#find(id);
    if (bytes === 0) stream?.reset(ErrorCode.protocol);
    else if (stream?.receivedCredit(bytes) === false) stream.reset(ErrorCode.flowControl);
  }

  #settings(flags: number, payload: Buffer): void {
    if (flags & Flag.ack) {
      this.roundTripMs ??= performance.now() - this.#greetedAt;
      return checkSize(payload, 0);
    }
    let credit = this.#initialCredit;
    for (const [id, value] of decodeSettings(payload, !this.#isServer)) {
      if (id === Setting.headerTableSize) this.outgoing.encoder.limitTable(value);
      else if (id === Setting.maxConcurrentStreams) this.maxStreams = value;
      else if (id === Setting.maxHeaderListSize) this.maxFieldBytes = value;
      else if (id === Setting.initialWindowSize) credit = value;
    }
    this.#setInitialCredit(credit);
    this.#hasSettings = true;
    this.#patience.answered(this.outgoing.isHeld);
    this.#write(FrameType.settings, Flag.ack, Buffer.alloc(0));
    return this.#events.settings();
  }

  /** RFC 9113, section 6.9.2: it holds for streams that are open, too. */
  #setInitialCredit(bytes: number): void {
    const more = bytes - this.#initialCredit;
    if (more === 0) return;
    this.#initialCredit = bytes;
    for (const stream of this.#streams.values())
      if (!stream.receivedCredit(more)) throw new ConnectionError(ErrorCode.flowControl, 'it opens its windows too far');
  }

  #ping(flags: number, payload: Buffer): void {
    checkSize(payload, PING_BYTES);
    if (flags & Flag.ack) return this.#pings.shift()?.();
    this.#patience.answered(this.outgoing.isHeld);
    this.#write(FrameType.ping, Flag.ack, payload);
    return this.#events.pinged();
  }

  #goaway(payload: Buffer): void {
    if (payload.length < 8) throw new ConnectionError(ErrorCode.frameSize, 'it goes away without a reason');
    const lastStream = payload.readUInt32BE(0) & MAX_WINDOW_BYTES;
    if (!this.#isServer) this.#isClosing = true;
    this.#events.goaway(payload.readUInt32BE(4), lastStream);
    if (this.#isServer) return;
    for (const stream of this.#streams.values()) if (stream.id > lastStream) stream.close(ErrorCode.refusedStream);
    this.outgoing.kick();
  }
}

function creditIn(payload: Buffer): number {
  checkSize(payload, 4);
  return payload.readUInt32BE(0) & MAX_WINDOW_BYTES;
}

function problemOf(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof CompressionError) return new ConnectionError(ErrorCode.compression, error.message);
  return new ConnectionError(ErrorCode.internal, defect(error));
}
