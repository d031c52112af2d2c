import { defect } from '../defects.ts';
import { isPlace, type Place, type RouterInfo, type RoutingMessage } from '../routing/types.ts';
import { carried } from './carried.ts';
import { CreditGate } from './credit-gate.ts';
import { decodeDatagram, encodeDatagram, type EncodedHeader, MAX_DATAGRAM_BYTES } from './datagram.ts';
import { DatagramBatch, DatagramLabels } from './datagram-batch.ts';
import {
  decodeFrame,
  decodeJson,
  decodeNumber,
  encodeFrame,
  encodeJsonFrame,
  encodeNumberFrame,
  FIRST_OPTIONAL_TYPE,
  type Frame,
  FrameType,
  MAX_MESSAGE_BYTES,
  MAX_OPEN_BYTES,
  MAX_PAYLOAD_BYTES,
  ProtocolError,
} from './frames.ts';
import { Flight } from './flight.ts';
import { MAX_WINDOW_BYTES } from './credit.ts';
import { RawStream } from './raw-stream.ts';
import { type Reason, toReason } from './reason.ts';
import { Ring } from './ring.ts';
import { SendQueue, type StreamQueue } from './send-queue.ts';
import type { MessageSocket } from './websocket/message-socket.ts';
import { CloseCode } from './websocket/opcodes.ts';

/** Bytes handed to the socket at most before the queue's order decides again: what a small frame can stand behind. */
const SOCKET_BYTES = 256 * 1024;
/** Control frames that may wait for a neighbour at most; one that reads slower than that is cut off. Bytes. */
const MAX_URGENT_BYTES = 64 * 1024 * 1024;
/** Datagrams that may wait at most; further ones are dropped, as networks do. Bytes. */
const MAX_WAITING_DATAGRAM_BYTES = 4 * 1024 * 1024;
/** A neighbour that opens more streams than this on one link is refused further ones. */
export const MAX_STREAMS = 100_000;
/** What has arrived is told in steps of at least this. Bytes. */
const TELL_RECEIVED_BYTES = 16 * 1024;
/** A frame's number has 32 bits. */
const COUNT_WRAPS_AT = 2 ** 32;
/** From this version of the protocol on, neighbours tell what they have received. */
const RECEIVED_SINCE_PROTOCOL = 2;
/** From this version on, datagrams carry a label instead of their header, and many are one frame. */
const LABELS_SINCE_PROTOCOL = 3;
/** How often a silent link is asked whether it lives. Milliseconds. */
const PING_EVERY_MS = 1000;
/** A clock's reading, which comes back. */
const PING_BYTES = 8;
/** A link on which nothing arrives for this long is dead. Milliseconds. */
export const LINK_DEAD_AFTER_MS = 5000;
/** How long a new link may take to say who it is. Milliseconds. */
const HELLO_WITHIN_MS = 10_000;

/** What both ends say first. */
export interface Hello {
  router: RouterInfo;
  /** The version of the protocol that it speaks: see `PROTOCOL`. Default 1. */
  protocol?: number;
  /** Start of that router; see `TopologyAdvert`. */
  instance: number;
  /** The dialling side's; the other side takes it over, so that both agree. */
  cost?: number;
}

export interface LinkEvents {
  /** The neighbour has said who it is. Throw a `ProtocolError` to turn it away. */
  hello(hello: Hello): void;
  routing(message: RoutingMessage): void;
  /** The dialling side changed the cost. */
  cost(cost: number): void;
  /** The neighbour opens a stream; answer with `sendOpened` or `sendRefused`, after having set the handler. */
  open(stream: RawStream, window: number, info: unknown): void;
  /** The neighbour sends one of a flow: see `router/datagrams.ts`. */
  datagram(header: EncodedHeader, flow: number, payload: Buffer): void;
  /** Once, whatever the cause; every stream has been reset already. */
  closed(reason: Reason): void;
}

export interface LinkOptions {
  dialled: boolean;
  hello: Hello;
  events: LinkEvents;
  maxQueuedBytes?: number | undefined;
}

/** One link to a neighbouring router: many streams and the routers' own words over one WebSocket. */
export class Link {
  readonly queue = new SendQueue();
  readonly gate: CreditGate;
  readonly #socket: MessageSocket;
  readonly #events: LinkEvents;
  readonly #streams = new Map<number, RawStream>();
  readonly #timer: NodeJS.Timeout;
  /** Take turns with the streams as one more of them. */
  readonly #datagrams: StreamQueue = { id: 0, pending: new Ring(), bytes: 0, lane: 'none', drained() {} };
  readonly #batch = new DatagramBatch((frame) => this.#pushDatagrams(frame));
  readonly #labels = new DatagramLabels((header, flow, payload) => this.#events.datagram(header, flow, payload));
  #nextStream: number;
  /** Set by `dataAhead`: the stream that the next message belongs to. */
  #payloadFor: number | undefined;
  #greeted = false;
  /** The version that the neighbour speaks. */
  #protocol = 1;
  /** Measures the path, where the neighbour says what it has received. */
  #flight: Flight | undefined;
  /** Of `bytesIn`, what the neighbour was told of. */
  #toldReceived = 0;
  #telling = false;
  /** Of `bytesOut`, what the neighbour told of. */
  #neighborReceived = 0;
  /** The last ping: when it was sent, and what was on its way then. */
  #pinged = { at: 0, flight: 0 };
  /** What is gathered is sent when this turn of the event loop ends. */
  #flushing = false;
  #pumping = false;
  #closed = false;
  readonly #startedAt = performance.now();
  bytesIn = 0;
  bytesOut = 0;
  /** Round trip of the last ping. Milliseconds. */
  rttMs: number | undefined;

  /**
   * @param options.dialled Streams of the dialling side have odd numbers
   * @param options.maxQueuedBytes See `CreditGate`. Default `MAX_QUEUED_BYTES`
   */
  constructor(socket: MessageSocket, { dialled, hello, events, maxQueuedBytes }: LinkOptions) {
    this.gate = new CreditGate(this.queue, () => this.#streams.size, maxQueuedBytes);
    this.#socket = socket;
    this.#events = events;
    this.#nextStream = dialled ? 1 : 2;
    socket.start({
      message: (message) => this.#message(message),
      drained: () => this.#pump(),
      broke: ({ message, closeCode }) => this.close({ code: 'protocol', message }, closeCode),
      closed: (code, message) => this.#end({ code: 'link-lost', message: message || whyClosed(code) }),
    });
    this.#timer = setInterval(() => this.#beat(), PING_EVERY_MS).unref();
    this.#sendControl(encodeJsonFrame(FrameType.hello, 0, hello));
  }

  get pieceBytes(): number {
    return this.#flight?.pieceBytes ?? MAX_PAYLOAD_BYTES;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** `frame`: from `encodeRouting`, so that one encoding serves all links of a flood. */
  sendRouting(frame: Buffer): void {
    this.#sendControl(frame);
  }

  sendCost(cost: number): void {
    this.#sendControl(encodeJsonFrame(FrameType.cost, 0, { cost }));
  }

  /** False where it was dropped: too many wait already. */
  sendDatagram(header: EncodedHeader, flow: number, payload: Buffer): boolean {
    const waiting = this.#datagrams.bytes + this.#batch.bytes;
    if (this.#closed || payload.length > MAX_DATAGRAM_BYTES || waiting + payload.length > MAX_WAITING_DATAGRAM_BYTES)
      return false;
    if (this.#protocol < LABELS_SINCE_PROTOCOL) {
      this.#pushDatagrams(encodeFrame(FrameType.datagram, 0, encodeDatagram(header, flow, payload)));
    } else {
      this.#batch.add(header, flow, payload);
      // Sends what has been gathered when the turn ends.
      this.#flushLater();
    }
    return true;
  }

  /** A new stream to the neighbour: give it a handler, then call `sendOpen`. On a closed link it is closed, too. */
  openStream(): RawStream {
    while (this.#streams.has(this.#nextStream)) this.#advance();
    const stream = new RawStream(this.#nextStream, this);
    this.#advance();
    if (this.#closed) stream.closed = true;
    else this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Says why to the neighbour, resets every stream and closes the connection. */
  close(reason: Reason, closeCode: CloseCode = CloseCode.normal): void {
    if (this.#closed) return;
    for (let frame = this.queue.nextUrgent(); frame; frame = this.queue.nextUrgent()) this.#write([frame]);
    this.#write([encodeJsonFrame(FrameType.bye, 0, reason)]);
    this.#end(reason, closeCode);
  }

  kick(): void {
    if (this.queue.urgentBytes > MAX_URGENT_BYTES)
      this.#end({ code: 'link-lost', message: 'it does not read what is sent to it' });
    else this.#pump();
  }

  forget(stream: RawStream): void {
    this.#streams.delete(stream.id);
  }

  #advance(): void {
    this.#nextStream += 2;
    if (this.#nextStream > 0xffff_fff0) this.#nextStream = this.#nextStream % 2 === 0 ? 2 : 1;
  }

  #sendControl(frame: Buffer): void {
    if (this.#closed) return;
    this.queue.pushUrgent(frame);
    this.kick();
  }

  #pump(): void {
    // A stream that hears of room writes at once, and would come here again: the loop goes on anyway.
    if (this.#pumping) return;
    this.#pumping = true;
    this.#flight?.look(performance.now());
    while (!this.#closed && this.#socket.waiting < SOCKET_BYTES) {
      const next = this.queue.next(this.#flight?.room);
      if (!next) break;
      this.#write(next.messages);
      if (next.stream) carried(next.messages.at(-1)!.length);
      next.stream?.drained();
    }
    this.#pumping = false;
    this.gate.sent(this.bytesOut);
  }

  #write(messages: Buffer[]): void {
    for (const message of messages) {
      this.bytesOut += message.length;
      this.#flight?.sent(message.length, performance.now());
      this.#socket.send(message);
    }
    this.#flushLater();
  }

  /** Whatever is sent in one turn of the event loop becomes one write to the socket, and few TLS records. */
  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#batch.flush();
      this.#flushing = false;
      this.#socket.flush();
    });
  }

  /** Once a turn at most, so that a fast link needs few. */
  #tellReceived(): void {
    if (!this.#flight || this.#telling || this.bytesIn - this.#toldReceived < TELL_RECEIVED_BYTES) return;
    this.#telling = true;
    setImmediate(() => {
      this.#telling = false;
      this.#toldReceived = this.bytesIn;
      this.#sendControl(encodeNumberFrame(FrameType.received, 0, this.bytesIn % COUNT_WRAPS_AT));
    });
  }

  #message(message: Buffer): void {
    if (this.#closed) return;
    this.bytesIn += message.length;
    this.#tellReceived();
    try {
      if (this.#payloadFor === undefined) this.#frame(decodeFrame(message));
      else {
        const stream = this.#payloadFor;
        this.#payloadFor = undefined;
        this.#data(stream, message);
      }
    } catch (error) {
      // Whatever a neighbour sends may cost it the link, never this process.
      this.close({ code: 'protocol', message: error instanceof ProtocolError ? error.message : defect(error) });
    }
  }

  #frame({ type, stream: id, body }: Frame): void {
    if (!this.#greeted && type !== FrameType.hello && type !== FrameType.bye)
      throw new ProtocolError('it speaks before it said who it is');
    const stream = this.#streams.get(id);
    switch (type) {
      case FrameType.hello:
        if (this.#greeted) throw new ProtocolError('it said twice who it is');
        this.#greeted = true;
        return this.#greet(decodeJson(body) as Hello);
      case FrameType.bye:
        return this.#end({ ...toReason(decodeJson(body)), code: 'link-lost' });
      case FrameType.ping:
        if (body.length !== PING_BYTES) throw new ProtocolError('it sends a ping of another length');
        return this.#sendControl(encodeFrame(FrameType.pong, 0, body));
      case FrameType.pong:
        return body.length === PING_BYTES ? this.#ponged(body.readDoubleBE(0)) : undefined;
      case FrameType.routing:
        return this.#events.routing(decodeJson(body) as RoutingMessage);
      case FrameType.cost:
        return this.#events.cost(Number((decodeJson(body) as { cost?: unknown } | null)?.cost));
      case FrameType.open:
        return this.#open(id, body);
      // A frame for a stream that is not there any more crossed its reset on the way: not an error.
      case FrameType.opened:
        return stream?.handler.opened(readWindow(body), decodeJson(body.subarray(4)));
      case FrameType.refused:
        return stream?.receivedRefused(toReason(decodeJson(body)));
      case FrameType.data:
        return this.#data(id, body);
      case FrameType.dataAhead:
        this.#payloadFor = id;
        return undefined;
      case FrameType.end:
        return stream?.receivedEnd();
      case FrameType.reset:
        return stream?.receivedReset(toReason(decodeJson(body)));
      case FrameType.credit:
        return stream?.handler.credit(decodeNumber(body));
      case FrameType.blocked:
        return stream?.handler.blocked();
      case FrameType.received:
        return this.#received(decodeNumber(body));
      case FrameType.lost:
        return stream?.handler.lost(readMembers(decodeJson(body)));
      case FrameType.datagram:
        return this.#datagram(body);
      case FrameType.label:
        return this.#labels.bind(body);
      case FrameType.datagrams:
        carried(body.length);
        return this.#labels.read(body);
      default:
        // What a later version adds, and this one may pass over.
        if (type < FIRST_OPTIONAL_TYPE) throw new ProtocolError(`it sends a frame of the unknown type ${String(type)}`);
        return undefined;
    }
  }

  #greet(hello: Hello): void {
    this.#protocol = hello?.protocol ?? 1;
    if (this.#protocol >= RECEIVED_SINCE_PROTOCOL) this.#flight = new Flight(this.bytesOut);
    this.#ping();
    this.#events.hello(hello);
  }

  /** The neighbour has received so much since the link began, as a number that starts again at 0 when it is too large for its frame. */
  #received(count: number): void {
    const more = (count - (this.#neighborReceived % COUNT_WRAPS_AT) + COUNT_WRAPS_AT) % COUNT_WRAPS_AT;
    this.#neighborReceived += more;
    this.#flight?.received(this.#neighborReceived, performance.now());
    this.#pump();
  }

  #ponged(sentAt: number): void {
    const now = performance.now();
    this.rttMs = Math.max(0, now - sentAt);
    if (sentAt === this.#pinged.at) this.#flight?.roundTrip(this.rttMs, now, this.#pinged.flight);
  }

  #data(id: number, payload: Buffer): void {
    if (payload.length > MAX_PAYLOAD_BYTES) throw new ProtocolError(`it sends more than ${MAX_PAYLOAD_BYTES} bytes in one frame`);
    carried(payload.length);
    if (payload.length > 0) this.#streams.get(id)?.handler.data(payload);
  }

  #pushDatagrams(frame: Buffer): void {
    this.queue.push(this.#datagrams, frame);
    this.kick();
  }

  #datagram(body: Buffer): void {
    carried(body.length);
    const { header, flow, payload } = decodeDatagram(body);
    this.#events.datagram(header, flow, payload);
  }

  #open(id: number, body: Buffer): void {
    if (id === 0 || id % 2 === this.#nextStream % 2)
      throw new ProtocolError('it opens a stream with a number that is not its own');
    if (this.#streams.has(id)) throw new ProtocolError('it opens a stream that is open');
    if (body.length > MAX_OPEN_BYTES) throw new ProtocolError(`it opens a stream with more than ${MAX_OPEN_BYTES} bytes`);
    const window = readWindow(body);
    const info = decodeJson(body.subarray(4));
    const stream = new RawStream(id, this);
    this.#streams.set(id, stream);
    if (this.#streams.size > MAX_STREAMS)
      stream.sendRefused({ code: 'refused', message: `the link carries ${MAX_STREAMS} streams already` });
    else this.#events.open(stream, window, info);
  }

  #beat(): void {
    const now = performance.now();
    if (!this.#greeted && now - this.#startedAt > HELLO_WITHIN_MS)
      return this.close({ code: 'protocol', message: `it did not say who it is within ${HELLO_WITHIN_MS / 1000} s` });
    if (now - this.#socket.heardAt > LINK_DEAD_AFTER_MS)
      return this.close({ code: 'link-lost', message: `nothing arrived for ${LINK_DEAD_AFTER_MS / 1000} s` });
    return this.#ping();
  }

  #ping(): void {
    const body = Buffer.allocUnsafe(PING_BYTES);
    this.#pinged = { at: performance.now(), flight: this.#flight?.bytes ?? 0 };
    body.writeDoubleBE(this.#pinged.at, 0);
    this.#sendControl(encodeFrame(FrameType.ping, 0, body));
  }

  #end(reason: Reason, closeCode: CloseCode = CloseCode.normal): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const stream of this.#streams.values()) stream.receivedReset({ code: 'link-lost', message: reason.message });
    this.#socket.close(closeCode);
    this.#events.closed(reason);
  }
}

function readMembers(value: unknown): Place[] {
  const members = (value as { members?: unknown } | null)?.members;
  if (!Array.isArray(members) || !members.every(isPlace))
    throw new ProtocolError('it lost what cannot be members of a multicast');
  return members;
}

/** However much the far end says that it takes: no more than this waits anywhere for one stream. */
function readWindow(body: Buffer): number {
  if (body.length < 4) throw new ProtocolError('a stream is opened without a window');
  return Math.min(body.readUInt32BE(0), MAX_WINDOW_BYTES);
}

function whyClosed(code: number | undefined): string {
  if (code === CloseCode.tooLarge) return `the neighbour takes no message of more than ${MAX_MESSAGE_BYTES} bytes`;
  return 'the connection was closed';
}

export function encodeRouting(message: RoutingMessage): Buffer {
  return encodeJsonFrame(FrameType.routing, 0, message);
}
