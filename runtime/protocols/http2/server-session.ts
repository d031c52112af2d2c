import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { endOfAge } from '../http/end-of-age.ts';
import type { Server } from '../listener.ts';
import type { CallRequest } from './call.ts';
import { type ConnectionEvents, Http2Connection } from './connection.ts';
import { areWithin, type Fields } from './field.ts';
import { type ConnectionError, ErrorCode } from './frames.ts';
import type { Limits } from './limits.ts';
import type { Http2Stream } from './stream.ts';

/** Streams have numbers of 31 bits, every other one of which is a client's. A session ends before it runs out of them. */
const MAX_REQUESTS = 1_000_000_000;

/** The server closed the connection, or answered in another protocol, before it said anything in HTTP/2. */
export class NotHttp2Error extends Error {
  override readonly name = 'NotHttp2Error';
}

/** What one client has at a server: its requests that are under way there. */
export interface Share {
  underWay: number;
}

/** A place for one request in a session: wants `release`, once, when the request is over. */
export class Slot {
  readonly session: ServerSession;
  readonly #connection: Http2Connection;
  readonly #share: Share;

  constructor(session: ServerSession, connection: Http2Connection, share: Share) {
    this.session = session;
    this.#connection = connection;
    this.#share = share;
  }

  /** The server takes a request with these fields. */
  takes(fields: Fields): boolean {
    return areWithin(fields, this.#connection.maxFieldBytes);
  }

  request({ fields, ended, growth }: CallRequest): Http2Stream {
    return this.#connection.request(fields, ended, growth);
  }

  release(): void {
    this.#share.underWay--;
    this.session.release();
  }
}

/** A connection to a server, in HTTP/2, for many requests at a time. */
export class ServerSession implements ConnectionEvents {
  readonly #connection: Http2Connection;
  readonly #socket: Duplex;
  readonly #limits: Limits;
  readonly #changed: () => void;
  /** While the server has said nothing: is told that it has, or why it will not. */
  #opened: ((cause?: Error) => void) | undefined;
  #busy = 0;
  #requests = 0;
  #resets = 0;
  readonly #oldAt: number;
  #idleSince = performance.now();
  #probedAt = performance.now();
  #probe: NodeJS.Timeout | undefined;
  /** Why the connection is gone, as the end of a sentence; undefined while it is there. */
  lost: string | undefined;
  /** Streams with higher numbers were not looked at by the server (RFC 9113, section 6.8). */
  lastStream = Number.POSITIVE_INFINITY;

  private constructor(socket: Duplex, limits: Limits, changed: () => void, opened: (cause?: Error) => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#changed = changed;
    this.#opened = opened;
    this.#oldAt = endOfAge(limits.serverAgeMs);
    socket.on('error', (error) => this.#lose(`the connection was lost (${error.message})`, error));
    socket.once('end', () => this.#lose('the server closed the connection'));
    // What is on its way on all streams together is given back at once: one client never stops another.
    const windows = { windowBytes: limits.serverWindowBytes, allWindowsBytes: 2 * limits.windowGrowthBytes };
    this.#connection = new Http2Connection(socket, false, { ...limits, ...windows, streams: 0 }, this);
  }

  /**
   * Connects, and waits until the server has said its SETTINGS: nothing was delivered before that, so that it may as well be asked in
   * another way. `changed` is called when there may be room for a request again, and when the session ends. Rejects with a `StreamError`
   * or a `NotHttp2Error`.
   */
  static async open(server: Server, limits: Limits, changed: () => void): Promise<ServerSession> {
    const socket = await server.connect();
    if (socket.destroyed) throw new StreamError({ code: 'reset', message: `${server.target} closed the connection at once` });
    return new Promise((resolve, reject) => {
      const late = `${server.target} does not answer in HTTP/2 (${limits.settingsWithinMs / 1000} s)`;
      const timer = setTimeout(() => {
        reject(new StreamError({ code: 'timeout', message: late }));
        socket.destroy();
      }, limits.settingsWithinMs);
      const session: ServerSession = new ServerSession(socket, limits, changed, (cause) => {
        clearTimeout(timer);
        if (session.lost === undefined) resolve(session);
        // The server itself may as well reset as close what it does not understand.
        else if (cause instanceof StreamError && cause.code !== 'reset') reject(cause);
        else reject(new NotHttp2Error(`${server.target} closed the connection instead of speaking HTTP/2`));
      });
    });
  }

  /** Takes further requests, if not now then later. */
  get isOpen(): boolean {
    return this.lost === undefined && !this.#connection.isClosing && !this.#isWornOut;
  }

  get isGone(): boolean {
    return this.lost !== undefined;
  }

  /** Has requests under way. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** Requests that it takes at a time. */
  get places(): number {
    return Math.min(this.#connection.maxStreams, this.#limits.streamsPerServerSession);
  }

  /** Of these, how many are free. */
  get room(): number {
    return this.isOpen ? Math.max(0, this.places - this.#busy) : 0;
  }

  /** `share`: of the client whose request gets the place. */
  reserve(share: Share): Slot {
    this.#busy++;
    this.#requests++;
    share.underWay++;
    return new Slot(this, this.#connection, share);
  }

  release(): void {
    this.#busy--;
    this.#idleSince = performance.now();
    if (this.#busy === 0 && this.#isWornOut) this.#connection.close();
    this.#changed();
  }

  /** A request was taken back, or found wrong. After too many, others get a session that the server does not count them in. */
  wentWrong(): void {
    this.#resets++;
  }

  isOld(now: number): boolean {
    return now >= this.#oldAt;
  }

  /** Takes no further requests, and ends with those that are under way. */
  retire(): void {
    this.#connection.close();
  }

  /** Ends it where nobody needs it, and where the server is silent. `idleMs`: after so long without a request. */
  review(now: number, idleMs: number): void {
    if (this.lost !== undefined) return;
    if (this.#busy === 0) {
      if (now - this.#idleSince >= idleMs) this.#connection.close();
    } else if (now - this.#probedAt >= this.#limits.serverProbeEveryMs && !this.#probe) this.#ask(now);
  }

  settings(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.();
    this.#changed();
  }

  goaway(code: number, lastStream: number): void {
    this.lastStream = Math.min(this.lastStream, lastStream);
    if (code === ErrorCode.none) this.#changed();
    else {
      this.#lose(`the server ended the connection (error code ${code})`);
      this.#connection.cutOff(ErrorCode.none);
    }
  }

  closed(problem: ConnectionError | undefined): void {
    clearTimeout(this.#probe);
    this.#lose(problem ? `the server broke the protocol (${problem.message})` : 'the connection was closed', problem);
  }

  /** None is opened by a server. */
  stream(): void {}

  pinged(): void {}

  get #isWornOut(): boolean {
    return this.#resets >= this.#limits.resetsPerServerSession || this.#requests >= MAX_REQUESTS;
  }

  #lose(reason: string, cause?: Error): void {
    if (this.lost !== undefined) return;
    this.lost = reason;
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.(cause);
    this.#changed();
  }

  #ask(now: number): void {
    this.#probedAt = now;
    this.#probe = setTimeout(() => {
      this.#lose('the server does not answer any more');
      this.#socket.destroy();
    }, this.#limits.serverProbeWithinMs);
    this.#connection.ping(() => {
      clearTimeout(this.#probe);
      this.#probe = undefined;
    });
  }
}
