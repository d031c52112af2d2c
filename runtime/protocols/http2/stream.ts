import { areWithin, type Field, type Fields } from './field.ts';
import { ErrorCode, Flag, FRAME_BYTES, FrameType, MAX_WINDOW_BYTES } from './frames.ts';
import type { Outgoing, Sender } from './outgoing.ts';
import { Pieces } from './pieces.ts';
import { checkResponse, checkTrailers, MalformedError } from './message-rules.ts';
import type { WindowGrowth } from './window-growth.ts';

/** Once so much waits unread on a connection, what comes before responses (1xx) is left out. Bytes. */
const MOST_UNREAD_BYTES = 256 * 1024;

/** What comes of a stream. `closed` comes last, once. */
export interface StreamEvents {
  /** Of a stream that this end opened: a response, or what comes before it (1xx). `ended`: there is no body, and no trailers. */
  responded(status: number, fields: Fields, ended: boolean): void;
  /** The next bytes of the body. Their sender may send as many again once `taken` is called. */
  data(chunk: Buffer): void;
  /** The other end has said all it had to say. */
  ended(trailers: Fields | undefined): void;
  /** For long nothing has come of a body that could have gone on: see `review`. */
  stalled(): void;
  /** So many bytes that were given to `write` have left. */
  sent(bytes: number): void;
  /** `code` of RFC 9113, section 7: other than 0 where one end broke it off. */
  closed(code: number): void;
}

/** The connection, as a stream sees it. */
export interface StreamCarrier {
  readonly outgoing: Outgoing;
  /** What a stream of the other end may have on its way. Bytes. */
  readonly windowBytes: number;
  /** Fields of a message that the other end takes (SETTINGS_MAX_HEADER_LIST_SIZE). Bytes. */
  readonly maxFieldBytes: number;
  /** How long it takes to hear of the other end; undefined where that is not known yet. Milliseconds. */
  readonly roundTripMs: number | undefined;
  /** The window of a stream has grown to so many bytes. */
  grew(windowBytes: number): void;
  /** Both ends are done with it, or one has broken it off. `wasReset`: this one. */
  over(stream: Http2Stream, wasReset: boolean): void;
}

const NOBODY: StreamEvents = { responded() {}, data() {}, ended() {}, stalled() {}, sent() {}, closed() {} };

/** How a stream begins. */
export interface StreamStart {
  /** With a request of the other end. Else this end makes one. */
  hasHead: boolean;
  /** It is one whose response has no body, whatever length that says it has. */
  isHead?: boolean;
  /** The other end has said all already. */
  ended?: boolean;
  /** Bytes that the other end's body must have, where that is known. */
  left?: number | undefined;
  /** What its window may grow by. It does not where there is none. */
  growth?: WindowGrowth;
}

/** One request and its response on a connection, seen from one of its ends (RFC 9113, section 5). */
export class Http2Stream implements Sender {
  readonly id: number;
  events: StreamEvents = NOBODY;
  isReady = false;
  isClosed = false;
  /** This end broke it off. */
  wasReset = false;
  readonly #carrier: StreamCarrier;
  /** What the other end may send ahead, what it may still send of that, and what was taken of it that it has not been told of. Bytes. */
  #windowSize: number;
  #window: number;
  #untold = 0;
  readonly #growth: WindowGrowth | undefined;
  /** When the other end was told last, or the first was taken. */
  #toldAt: number | undefined;
  /** What may be sent. Bytes. */
  #credit: number;
  readonly #unsent = new Pieces();
  /** What ends it once all is sent: trailers, or nothing more (null). */
  #ending: Fields | null | undefined;
  #hasSentEnd = false;
  #isLetGo = false;
  #hasGotEnd: boolean;
  /** The body's fields have come; what follows is its body, and trailers. */
  #hasHead: boolean;
  readonly #isHead: boolean;
  /** Bytes that its body must have yet, where that is known. */
  #left: number | undefined;
  /** Since when nothing of its body has come, as far as was looked. Milliseconds. */
  #stillSince: number | undefined;

  /** `credit`: what may be sent on it. Bytes. */
  constructor(
    id: number,
    carrier: StreamCarrier,
    credit: number,
    { hasHead, isHead = false, ended = false, left, growth }: StreamStart,
  ) {
    this.id = id;
    this.#carrier = carrier;
    this.#windowSize = carrier.windowBytes;
    this.#window = carrier.windowBytes;
    this.#growth = growth;
    this.#credit = credit;
    this.#hasHead = hasHead;
    this.#isHead = isHead;
    this.#hasGotEnd = ended;
    this.#left = left;
  }

  /** All that this end has to say is said. */
  get hasSentEnd(): boolean {
    return this.#hasSentEnd;
  }

  /** The other end has ended its side. */
  get hasGotEnd(): boolean {
    return this.#hasGotEnd;
  }

  /** Fields of a message that the other end takes (SETTINGS_MAX_HEADER_LIST_SIZE). Bytes. */
  get maxFieldBytes(): number {
    return this.#carrier.maxFieldBytes;
  }

  /** Opens its window wider, up to so many bytes, as far as there is room for that. */
  openWindow(bytes: number): void {
    const more = this.isClosed ? 0 : (this.#growth?.begin(bytes - this.#windowSize) ?? 0);
    if (more > 0) this.#tell(more);
    this.#windowSize += more;
  }

  /** What comes before a response. It is left out where the other end does not read, or does not take so much. */
  inform(fields: Fields): void {
    if (areWithin(fields, this.maxFieldBytes) && this.#carrier.outgoing.unreadBytes < MOST_UNREAD_BYTES)
      this.sendFields(fields, false);
  }

  /** A request, or a response. `ended`: nothing follows. */
  sendFields(fields: Fields, ended: boolean): void {
    if (this.isClosed || this.#ending !== undefined || !this.#takes(fields)) return;
    this.#carrier.outgoing.writeFields(this.id, fields, ended);
    if (!ended) return;
    this.#ending = null;
    this.#sentEnd();
  }

  /** The next bytes of the body; `sent` tells when they have left. */
  write(chunk: Buffer): void {
    if (this.isClosed || this.#ending !== undefined || chunk.length === 0) return;
    this.#unsent.add(chunk);
    this.#carrier.outgoing.ready(this);
  }

  end(trailers?: Fields): void {
    if (this.isClosed || this.#ending !== undefined || (trailers && !this.#takes(trailers))) return;
    this.#ending = trailers ?? null;
    if (this.#unsent.bytes === 0) this.#writeEnd();
  }

  /** Nobody reads what still comes: once the end is sent, the other end is told to stop (RFC 9113, section 8.1). */
  letGo(): void {
    this.#isLetGo = true;
    if (this.#hasSentEnd) this.reset(ErrorCode.none);
  }

  /** Breaks it off. `code`: RFC 9113, section 7. */
  reset(code: number): void {
    if (this.isClosed) return;
    this.#carrier.outgoing.writer.number(FrameType.reset, this.id, code);
    this.#carrier.outgoing.kick();
    this.#close(code, true);
  }

  /** So many bytes of `data` have gone where they should: as many may come. */
  taken(bytes: number): void {
    if (this.#hasGotEnd || this.isClosed) return;
    this.#untold += bytes;
    if (this.#growth) this.#toldAt ??= performance.now();
    if (this.#untold < this.#windowSize / 2) return;
    if (this.#growth) this.#growWith(this.#growth);
    this.#tell(this.#untold);
    this.#untold = 0;
  }

  /**
   * The window doubles where half of it was taken in less than two round trips: by then the other end waits for word of it, at times or
   * always. One that is four times what is on its way and back is not the limit.
   */
  #growWith(growth: WindowGrowth): void {
    const now = performance.now();
    const isQuick = now - this.#toldAt! < 2 * (this.#carrier.roundTripMs ?? 0);
    this.#toldAt = now;
    if (!isQuick || !growth.grow(this.#windowSize)) return;
    this.#untold += this.#windowSize;
    this.#windowSize *= 2;
    this.#carrier.grew(this.#windowSize);
  }

  /** So many bytes more may come. */
  #tell(bytes: number): void {
    this.#carrier.outgoing.writer.number(FrameType.windowUpdate, this.id, bytes);
    this.#carrier.outgoing.kick();
    this.#window += bytes;
  }

  /** Sends one frame of its data, of so much at most. Returns how much that was; it is ready no more where it was nothing. */
  sendSome(most: number): number {
    const piece = this.#unsent.take(Math.min(most, FRAME_BYTES, this.#credit));
    if (!piece) return 0;
    const size = piece.length;
    this.#credit -= size;
    const isLast = this.#unsent.bytes === 0;
    const ends = isLast && this.#ending === null;
    this.#carrier.outgoing.writer.frame(FrameType.data, ends ? Flag.endStream : 0, this.id, piece);
    this.events.sent(size);
    if (this.isClosed) return size;
    if (ends) this.#sentEnd();
    else if (isLast && this.#ending !== undefined) this.#writeEnd();
    return size;
  }

  get hasUnsent(): boolean {
    return this.#unsent.bytes > 0;
  }

  /** Returns false where it is more than there may be. */
  receivedCredit(bytes: number): boolean {
    this.#credit += bytes;
    if (this.hasUnsent) this.#carrier.outgoing.ready(this);
    return this.#credit <= MAX_WINDOW_BYTES;
  }

  /** Fields on a stream that is open. Throws a `MalformedError`. */
  receivedFields(fields: Field[], ended: boolean): void {
    if (this.#hasGotEnd) this.reset(ErrorCode.streamClosed);
    else if (this.#hasHead) {
      checkTrailers(fields);
      if (!ended) throw new MalformedError('a body has fields in its midst');
      this.#receivedEnd(fields);
    } else this.#receivedResponse(fields, ended);
  }

  /** Throws a `MalformedError`. `bytes`: what it takes of the window, padding included. */
  receivedData(chunk: Buffer, bytes: number, ended: boolean): void {
    if (this.#hasGotEnd) return this.reset(ErrorCode.streamClosed);
    if (!this.#hasHead) throw new MalformedError('a body comes before its response');
    this.#stillSince = undefined;
    this.#window -= bytes;
    if (this.#window < 0) return this.reset(ErrorCode.flowControl);
    if (bytes > chunk.length) this.taken(bytes - chunk.length);
    if (this.#left !== undefined && (this.#left -= chunk.length) < 0)
      throw new MalformedError('a body is longer than it should be');
    if (chunk.length > 0) this.events.data(chunk);
    if (ended && !this.isClosed) this.#receivedEnd(undefined);
    return undefined;
  }

  /** Tells where the other end may go on with its body, and has not for so long. Milliseconds. */
  review(now: number, stalledMs: number): void {
    if (this.#hasGotEnd) return;
    if (this.#window <= 0) this.#stillSince = undefined;
    else if (now - (this.#stillSince ??= now) >= stalledMs) this.events.stalled();
  }

  /** It is over, whatever was still to come. */
  close(code: number): void {
    this.#close(code, false);
  }

  #close(code: number, wasReset: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.wasReset = wasReset;
    this.#unsent.clear();
    this.#growth?.giveBack(this.#windowSize - this.#carrier.windowBytes);
    this.#carrier.outgoing.leaves(this);
    this.#carrier.over(this, wasReset);
    this.events.closed(code);
  }

  /** Whoever is sent more fields than it takes may end the connection for that: it costs the stream instead (RFC 9113, section 10.5.1). */
  #takes(fields: Fields): boolean {
    const takes = areWithin(fields, this.maxFieldBytes);
    if (!takes) this.reset(ErrorCode.internal);
    return takes;
  }

  #receivedResponse(fields: Fields, ended: boolean): void {
    const { status, length } = checkResponse(fields);
    if (status < 200) {
      if (ended) throw new MalformedError('nothing follows what comes before a response');
      this.events.responded(status, fields, false);
      return;
    }
    this.#hasHead = true;
    this.#left = this.#isHead ? undefined : length;
    this.#checkEnd(ended);
    this.events.responded(status, fields, ended);
    if (ended && !this.isClosed) this.#receivedEnd(undefined);
  }

  #checkEnd(ended: boolean): void {
    if (ended && this.#left !== undefined && this.#left > 0) throw new MalformedError('a body is shorter than it should be');
  }

  #receivedEnd(trailers: Fields | undefined): void {
    this.#checkEnd(true);
    this.#hasGotEnd = true;
    this.events.ended(trailers);
    if (this.#hasSentEnd) this.close(ErrorCode.none);
  }

  #writeEnd(): void {
    if (this.#ending) this.#carrier.outgoing.writeFields(this.id, this.#ending, true);
    else this.#carrier.outgoing.writer.frame(FrameType.data, Flag.endStream, this.id, NOTHING);
    this.#carrier.outgoing.kick();
    this.#sentEnd();
  }

  #sentEnd(): void {
    this.#hasSentEnd = true;
    if (this.#hasGotEnd) this.close(ErrorCode.none);
    else if (this.#isLetGo) this.reset(ErrorCode.none);
  }
}

const NOTHING = Buffer.alloc(0);
