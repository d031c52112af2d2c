import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Exchange, type Exchanging } from './exchange.ts';
import { type Origin, originOf } from '../origin.ts';
import { FloodGate } from './flood-gate.ts';
import { Http2Inbound } from './http2-inbound.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

/** A client's connection, in HTTP/2: many requests at a time, each with a server of its own. */
export class ClientSession {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #context: Exchanging;
  readonly #origin: Origin;
  readonly #resets: FloodGate;
  #busy = 0;
  #idleSince = performance.now();
  #probedAt = performance.now();
  #isProbing = false;

  constructor(session: ServerHttp2Session, socket: Socket, context: Exchanging) {
    this.#session = session;
    this.#socket = socket;
    this.#context = context;
    this.#origin = originOf(socket);
    const { limits } = context;
    // What ends a session is told by its end.
    session.on('error', () => {});
    session.on('stream', (stream, headers, flags, raw?: string[]) => this.#serve(stream, headers, flags, raw ?? []));
    // Node gives the connection's window back at once, so that one stream never stops another.
    session.setLocalWindowSize(limits.clientWindowBytes * 4);
    this.#guard('ping', limits.pingsPerSecond);
    this.#guard('remoteSettings', limits.settingsPerSecond);
    this.#resets = new FloodGate({ burst: limits.resetBurst, perSecond: limits.resetsPerSecond });
  }

  /** Ends it where it was not used for long, and where nobody is there any more. */
  review(now: number): void {
    const { clientIdleMs, clientProbeEveryMs, clientProbeWithinMs } = this.#context.limits;
    if (this.#session.closed || this.#session.destroyed) {
      // It has been told to go, and does not: it keeps nothing but the connection, and that not for ever.
      if (this.#busy === 0 && now - this.#idleSince >= clientProbeWithinMs) this.#socket.destroy();
    } else if (this.#busy === 0 && now - this.#idleSince >= clientIdleMs) this.close();
    else if (now - this.#probedAt >= clientProbeEveryMs && !this.#isProbing) this.#probe(now);
  }

  /** GOAWAY: requests that are under way go on. */
  close(): void {
    this.#idleSince = performance.now();
    if (!this.#session.destroyed) this.#session.close();
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: readonly string[]): void {
    const inbound = new Http2Inbound(stream, headers, flags, raw, this.#origin);
    this.#busy++;
    stream.once('close', () => {
      this.#busy--;
      this.#idleSince = performance.now();
      // A server's code that was passed on is none of the client's doing.
      if (!inbound.wasReset && stream.rstCode !== NGHTTP2_NO_ERROR && !this.#resets.pass())
        this.#cutOff('too many requests were taken back');
    });
    void new Exchange(inbound, this.#context).run();
  }

  #probe(now: number): void {
    this.#probedAt = now;
    this.#isProbing = true;
    const timer = setTimeout(() => this.#session.destroy(), this.#context.limits.clientProbeWithinMs);
    this.#session.ping(() => {
      clearTimeout(timer);
      this.#isProbing = false;
    });
  }

  /** Frames that cost nothing to send: too many of them are an attack (CVE-2019-9512, CVE-2019-9515). */
  #guard(event: 'ping' | 'remoteSettings', perSecond: number): void {
    const gate = new FloodGate({ burst: perSecond, perSecond });
    this.#session.on(event, () => {
      if (!gate.pass()) this.#cutOff(`too many frames (${event})`);
    });
  }

  #cutOff(why: string): void {
    if (!this.#session.destroyed) this.#session.destroy(new Error(why), NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
