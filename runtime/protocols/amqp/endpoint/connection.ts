import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { defect } from '../../../defects.ts';
import { VERSION } from '../../../version.ts';
import {
  CLOSE_WITHIN_MS,
  IDLE_TIMEOUT_MS,
  MAX_FRAME_BYTES,
  MAX_SESSIONS,
  MIN_MAX_FRAME_BYTES,
  OPEN_WITHIN_MS,
} from '../limits.ts';
import { AmqpError, framingError } from '../wire/amqp-error.ts';
import type { Decoder } from '../wire/decoder.ts';
import { AMQP_FRAME, type FrameHandler, FrameReader, SASL_FRAME } from '../wire/frame-reader.ts';
import * as performatives from '../wire/performatives.ts';
import type { Handshake } from './handshake.ts';
import type { IncomingLink } from './incoming-link.ts';
import type { OutgoingLink } from './outgoing-link.ts';
import { Output } from './output.ts';
import { Session, writeError } from './session.ts';

/** The shortest interval at which a peer can want to hear something. Milliseconds. */
const MIN_HEARTBEAT_MS = 100;

export interface ConnectionUser {
  /** Both sides are open. */
  opened(): void;
  /** The peer attached a link: `accept` or `refuse` it, now or later. Or it took one of this side. */
  attached(link: IncomingLink | OutgoingLink): void;
  /** It is over; its links have been closed. */
  closed(error: AmqpError | undefined): void;
}

export interface ConnectionOptions {
  socket: Socket;
  /** This side's name (container-id). */
  container: string;
  /** The name of the host that the client wants, where this side is the client. */
  hostname?: string;
  handshake: Handshake;
  user: ConnectionUser;
}

/** One connection of AMQP 1.0 over a socket: its handshake, its sessions, and its end. Either side may have dialled. */
export class Connection implements FrameHandler {
  readonly user: ConnectionUser;
  readonly output: Output;
  readonly #socket: Socket;
  readonly #container: string;
  readonly #hostname: string | undefined;
  readonly #handshake: Handshake;
  readonly #reader: FrameReader;
  #phase: 'handshake' | 'amqp' = 'handshake';
  #sentOpen = false;
  #sentClose = false;
  #isOver = false;
  #hasHeard = true;
  #error: AmqpError | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  /** By the peer's channel, and by ours. */
  readonly #byRemoteChannel = new Map<number, Session>();
  readonly #byChannel = new Map<number, Session>();
  readonly #touched = new Set<Session>();
  #isFlushing = false;
  #wasBusy = false;
  remoteContainer = '';
  /** The largest frame that the peer takes. Bytes. */
  remoteMaxFrame = MIN_MAX_FRAME_BYTES;

  constructor({ socket, container, hostname, handshake, user }: ConnectionOptions) {
    this.#socket = socket;
    this.#container = container;
    this.#hostname = hostname;
    this.#handshake = handshake;
    this.user = user;
    this.output = new Output(socket);
    this.#reader = new FrameReader(this, MAX_FRAME_BYTES);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('drain', () => this.#resume());
    socket.on('error', (error) => (this.#error ??= new AmqpError('amqp:connection:forced', error.message)));
    socket.on('close', () => this.#closed(this.#error));
    this.#after(OPEN_WITHIN_MS, () => {
      if (this.remoteContainer === '')
        this.fail(new AmqpError('amqp:connection:forced', 'the connection was not opened in time'));
    });
    handshake.begin(this.output);
    this.#flushSoon();
  }

  /** Whether links should wait until the socket has less to send. */
  get isBusy(): boolean {
    const { isBusy } = this.output;
    if (isBusy) this.#wasBusy = true;
    return isBusy;
  }

  /** How many sessions share its window. */
  get sessions(): number {
    return Math.max(1, this.#byChannel.size);
  }

  /** This session has something to write when the turn ends. */
  touch(session: Session): void {
    this.#touched.add(session);
    this.#flushSoon();
  }

  /** Begins a session of this side's own. */
  beginSession(): Session {
    const session = this.#newSession();
    session.writeBegin(undefined);
    return session;
  }

  /** Ends it properly: says why, and waits for the peer to say the same. */
  close(error?: AmqpError): void {
    if (this.#isOver || this.#sentClose) return;
    this.#writeClose(error);
    if (this.#phase === 'handshake') this.#socket.end();
    this.#closed(error);
    this.#destroyAfter(CLOSE_WITHIN_MS);
  }

  /** Ends it at once: what the peer says from now on is not read. */
  fail(error: AmqpError): void {
    if (this.#isOver) return;
    this.#error ??= error;
    this.#reader.close();
    this.#writeClose(error);
    this.#flush();
    this.#socket.end();
    this.#closed(error);
    this.#destroyAfter(CLOSE_WITHIN_MS);
  }

  header(header: Buffer): void {
    if (!this.#handshake.header(header, this.output)) return;
    this.#phase = 'amqp';
    this.#writeOpen();
  }

  frame(type: number, channel: number, body: Decoder): void {
    if (this.#phase === 'handshake') {
      if (type !== SASL_FRAME) throw framingError('a frame of AMQP comes before its header');
      if (this.#handshake.frame(body, this.output)) this.#reader.expectHeader();
      return;
    }
    if (type !== AMQP_FRAME) throw framingError('a frame of SASL comes behind its end');
    if (!body.hasMore) return;
    const performative = body.descriptor();
    const fields = body.list();
    switch (performative) {
      case performatives.OPEN:
        return this.#opened(performatives.decodeOpen(fields));
      case performatives.BEGIN:
        return this.#begun(channel, performatives.decodeBegin(fields));
      case performatives.END:
        return this.#ended(channel, fields);
      case performatives.CLOSE:
        return this.#remoteClosed(performatives.decodeEnding(fields));
      default:
        return this.#sessionOf(channel).frame(performative, fields, body);
    }
  }

  #read(bytes: Buffer): void {
    this.#hasHeard = true;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.fail(error instanceof AmqpError ? error : new AmqpError('amqp:internal-error', defect(error)));
    }
    this.#flushSoon();
  }

  #opened({ containerId, maxFrameSize, idleTimeout }: performatives.Open): void {
    if (this.remoteContainer !== '') throw framingError('it is open already');
    if (maxFrameSize < MIN_MAX_FRAME_BYTES) throw framingError(`a max-frame-size is at least ${MIN_MAX_FRAME_BYTES}`);
    this.remoteContainer = containerId || randomUUID();
    // A little larger than what comes in, where it may be: then a part that fits into one frame leaves in one.
    this.remoteMaxFrame = Math.min(maxFrameSize, 2 * MAX_FRAME_BYTES);
    if (idleTimeout) this.#every(Math.max(idleTimeout / 2, MIN_HEARTBEAT_MS), () => this.#beat());
    this.#every(IDLE_TIMEOUT_MS, () => this.#listen());
    this.user.opened();
  }

  #begun(channel: number, begin: performatives.Begin): void {
    if (this.remoteContainer === '') throw framingError('a session begins before the connection is open');
    if (this.#byRemoteChannel.has(channel)) throw framingError('a session has begun already');
    let session = begin.remoteChannel === undefined ? undefined : this.#byChannel.get(begin.remoteChannel);
    if (begin.remoteChannel !== undefined && !session) throw framingError('a session answers one that did not begin');
    if (!session) {
      if (this.#byChannel.size >= MAX_SESSIONS || channel >= MAX_SESSIONS)
        throw new AmqpError('amqp:connection:framing-error', `a connection has at most ${MAX_SESSIONS} sessions`);
      session = this.#newSession();
      session.begun(begin);
      session.writeBegin(channel);
    } else session.begun(begin);
    this.#byRemoteChannel.set(channel, session);
  }

  #ended(channel: number, fields: Decoder): void {
    const session = this.#sessionOf(channel);
    session.close(performatives.decodeEnding(fields));
    this.#byRemoteChannel.delete(channel);
    this.#byChannel.delete(session.channel);
    this.output.frame(AMQP_FRAME, session.channel, (encoder) => encoder.list(performatives.END, 0, () => {}));
  }

  #remoteClosed(error: AmqpError | undefined): void {
    this.#reader.close();
    this.#writeClose(undefined);
    this.#flush();
    this.#socket.end();
    this.#closed(error);
    this.#destroyAfter(CLOSE_WITHIN_MS);
  }

  #sessionOf(remoteChannel: number): Session {
    const session = this.#byRemoteChannel.get(remoteChannel);
    if (!session) throw new AmqpError('amqp:not-allowed', 'a frame comes for a session that has not begun');
    return session;
  }

  #newSession(): Session {
    let channel = 0;
    while (this.#byChannel.has(channel)) channel++;
    const session = new Session(this, channel);
    this.#byChannel.set(channel, session);
    return session;
  }

  #writeOpen(): void {
    this.#sentOpen = true;
    this.output.frame(AMQP_FRAME, 0, (encoder) =>
      encoder.list(performatives.OPEN, 10, () => {
        encoder.string(this.#container);
        encoder.string(this.#hostname);
        encoder.uint(MAX_FRAME_BYTES);
        encoder.ushort(MAX_SESSIONS - 1);
        encoder.uint(IDLE_TIMEOUT_MS);
        encoder.null();
        encoder.null();
        // A sender without a target may name the address in each message.
        encoder.symbols(['ANONYMOUS-RELAY']);
        encoder.null();
        encoder.properties({ product: 'caravan', version: VERSION });
      }),
    );
  }

  /** A close comes behind an open, even where it says that there will be none (section 2.4.1 of AMQP 1.0). */
  #writeClose(error: AmqpError | undefined): void {
    if (this.#sentClose || this.#phase === 'handshake') return;
    this.#sentClose = true;
    if (!this.#sentOpen) this.#writeOpen();
    for (const session of this.#touched) session.writeGathered();
    this.#touched.clear();
    this.output.frame(AMQP_FRAME, 0, (encoder) => encoder.list(performatives.CLOSE, 1, () => writeError(encoder, error)));
    this.#flushSoon();
  }

  #closed(error: AmqpError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const session of this.#byChannel.values()) session.close(error);
    this.user.closed(error);
  }

  #beat(): void {
    if (this.output.wroteSince()) return;
    this.output.frame(AMQP_FRAME, 0, () => {});
    this.output.flush();
    this.output.wroteSince();
  }

  #listen(): void {
    if (!this.#hasHeard)
      return this.fail(new AmqpError('amqp:resource-limit-exceeded', 'the peer was silent for longer than idle-time-out'));
    this.#hasHeard = false;
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    process.nextTick(() => {
      this.#isFlushing = false;
      this.#flush();
      // The kernel may have taken all of it.
      if (this.#wasBusy && !this.output.isBusy) this.#resume();
    });
  }

  #flush(): void {
    for (const session of this.#touched) session.writeGathered();
    this.#touched.clear();
    this.output.flush();
  }

  #resume(): void {
    this.#wasBusy = false;
    for (const session of this.#byChannel.values()) session.resume();
  }

  #after(ms: number, then: () => void): void {
    this.#timers.push(setTimeout(then, ms).unref());
  }

  #every(ms: number, then: () => void): void {
    this.#timers.push(setInterval(then, ms).unref());
  }

  #destroyAfter(ms: number): void {
    const timer = setTimeout(() => this.#socket.destroy(), ms).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }
}
