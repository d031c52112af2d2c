import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import type { Fields } from './fields.ts';
import type { Limits } from './limits.ts';

/** Streams have numbers of 31 bits, every other one of which is a client's. A session ends before it runs out of them. */
const MAX_REQUESTS = 1_000_000_000;

/** The server closed the connection, or answered in another protocol, before it said anything in HTTP/2. */
export class NotHttp2Error extends Error {
  override readonly name = 'NotHttp2Error';
}

/** A place for one request in a session: wants either `request`, which throws what node:http2 throws, or `release`, once. */
export interface Slot {
  readonly session: ServerSession;
  request(fields: Fields, options: { endStream: boolean }): ClientHttp2Stream;
  release(): void;
}

/** A connection to a server, in HTTP/2, for many requests at a time. */
export class ServerSession {
  readonly #session: ClientHttp2Session;
  readonly #connection: Duplex;
  readonly #limits: Limits;
  readonly #changed: () => void;
  #busy = 0;
  #requests = 0;
  #resets = 0;
  #idleSince = performance.now();
  #probedAt = performance.now();
  #probing = false;
  /** Why the connection is gone, as the end of a sentence; undefined while it is there. */
  lost: string | undefined;
  /** Streams with higher numbers were not looked at by the server (RFC 9113, section 6.8). */
  lastStream = Number.POSITIVE_INFINITY;

  private constructor(session: ClientHttp2Session, connection: Duplex, limits: Limits, changed: () => void) {
    this.#session = session;
    this.#connection = connection;
    this.#limits = limits;
    this.#changed = changed;
  }

  /**
   * Connects, and waits until the server has said its SETTINGS: nothing was delivered before that, so that it may as well be asked in
   * another way. `changed` is called when there may be room for a request again, and when the session ends. Rejects with a `StreamError`
   * or a `NotHttp2Error`.
   */
  static async open(server: Server, limits: Limits, changed: () => void): Promise<ServerSession> {
    const connection = await server.connect();
    if (connection.destroyed) throw new StreamError({ code: 'reset', message: `${server.target} closed the connection at once` });
    return new Promise((resolve, reject) => {
      const session = connect('http://server', {
        createConnection: () => connection,
        maxSessionMemory: limits.sessionMegabytes,
        maxHeaderListPairs: limits.headerFields,
        settings: {
          enablePush: false,
          initialWindowSize: limits.serverWindowBytes,
          maxHeaderListSize: limits.headerBytes,
        },
      });
      const opened = new ServerSession(session, connection, limits, changed);
      const late = `${server.target} does not answer in HTTP/2 (${limits.settingsWithinMs / 1000} s)`;
      const timer = setTimeout(() => {
        reject(new StreamError({ code: 'timeout', message: late }));
        session.destroy();
      }, limits.settingsWithinMs);
      session.once('remoteSettings', () => {
        clearTimeout(timer);
        resolve(opened);
      });
      opened.#watch((cause) => {
        clearTimeout(timer);
        // The server itself may as well reset as close what it does not understand.
        reject(
          cause instanceof StreamError && cause.code !== 'reset'
            ? cause
            : new NotHttp2Error(`${server.target} closed the connection instead of speaking HTTP/2`),
        );
        changed();
      });
    });
  }

  /** Takes further requests, if not now then later. */
  get isOpen(): boolean {
    return this.lost === undefined && !this.#session.closed && !this.#session.destroyed && !this.#isWornOut;
  }

  get isGone(): boolean {
    return this.lost !== undefined;
  }

  /** Has requests under way. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  get hasRoom(): boolean {
    return this.#busy < this.#capacity && this.isOpen;
  }

  reserve(): Slot {
    this.#busy++;
    const release = (): void => {
      this.#busy--;
      this.#idleSince = performance.now();
      if (this.#busy === 0 && this.#isWornOut) this.#close();
      this.#changed();
    };
    return {
      session: this,
      release,
      request: (fields, { endStream }) => {
        try {
          const stream = this.#session.request(fields, { endStream, waitForTrailers: !endStream });
          this.#requests++;
          stream.once('close', release);
          return stream;
        } catch (error) {
          release();
          throw error;
        }
      },
    };
  }

  /** A request was taken back. After too many, others get a session that the server does not count them in. */
  tookBack(): void {
    this.#resets++;
  }

  /** Ends it where nobody needs it, and where the server is silent. `idleMs`: after so long without a request. */
  review(now: number, idleMs: number): void {
    if (this.lost !== undefined || this.#session.destroyed) return;
    if (this.#busy === 0) {
      if (now - this.#idleSince >= idleMs) this.#close();
    } else if (now - this.#probedAt >= this.#limits.serverProbeEveryMs && !this.#probing) this.#probe(now);
  }

  get #capacity(): number {
    const { maxConcurrentStreams = Number.POSITIVE_INFINITY } = this.#session.remoteSettings;
    return Math.min(maxConcurrentStreams, this.#limits.streamsPerServerSession);
  }

  get #isWornOut(): boolean {
    return this.#resets >= this.#limits.resetsPerServerSession || this.#requests >= MAX_REQUESTS;
  }

  #watch(ended: (cause: Error | undefined) => void): void {
    const connection = this.#connection;
    const lose = (reason: string, cause?: Error): void => {
      if (this.lost !== undefined) return;
      this.lost = reason;
      ended(cause);
    };
    connection.on('error', (error) => lose(`the connection was lost (${error.message})`, error));
    // Node takes the half-close of a connection that may be half-open for nothing. No answer can follow it.
    connection.once('end', () => {
      lose('the server closed the connection');
      connection.destroy();
    });
    connection.once('close', () => lose('the connection was closed'));
    this.#session.on('error', (error) => {
      lose(`the server broke the protocol (${error.message})`, error);
      if (!connection.destroyed) connection.destroy();
    });
    this.#session.once('close', () => lose('the connection was closed'));
    this.#session.on('goaway', (code: number, lastStream: number) => {
      this.lastStream = Math.min(this.lastStream, lastStream);
      if (code !== constants.NGHTTP2_NO_ERROR) lose(`the server ended the connection (error code ${code})`);
      else this.#changed();
    });
    this.#session.once('connect', () => {
      // More than any stream's: Node gives the connection's window back at once, so that one stream never stops another.
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(this.#limits.serverWindowBytes * 4);
    });
    this.#session.on('remoteSettings', () => this.#changed());
  }

  /** In order; but a server that does not close its side does not keep the connection. */
  #close(): void {
    if (this.#session.closed) return;
    this.#session.close();
    setTimeout(() => this.#connection.destroy(), this.#limits.settingsWithinMs).unref();
  }

  #probe(now: number): void {
    this.#probedAt = now;
    this.#probing = true;
    const timer = setTimeout(() => {
      this.lost ??= 'the server does not answer any more';
      this.#session.destroy();
      this.#changed();
    }, this.#limits.serverProbeWithinMs);
    this.#session.ping(() => {
      clearTimeout(timer);
      this.#probing = false;
    });
  }
}
