import type { Socket } from 'node:net';
import { originOf } from '../origin.ts';
import { type ConnectionEvents, Http2Connection } from './connection.ts';
import { Exchange, type Exchanging } from './exchange.ts';
import type { Fields } from './field.ts';
import { ForwardedFields } from './fields.ts';
import { FloodGate } from './flood-gate.ts';
import { ErrorCode } from './frames.ts';
import { Http2Inbound } from './http2-inbound.ts';
import type { Http2Stream } from './stream.ts';
import { WindowGrowth } from './window-growth.ts';

/** All requests together may have so many windows on their way, which are given back at once: one never stops another. */
const WINDOWS = 4;

/** A client's connection, in HTTP/2: many requests at a time, each with a server of its own. */
export class ClientSession implements ConnectionEvents {
  readonly #connection: Http2Connection;
  readonly #socket: Socket;
  readonly #context: Exchanging;
  /** What its requests have in common. */
  readonly #shared: { forwarded: ForwardedFields; growth: WindowGrowth };
  /** Frames that cost nothing to send: too many of them are an attack (CVE-2019-9512, CVE-2019-9515, CVE-2023-44487). */
  readonly #pings: FloodGate;
  readonly #settings: FloodGate;
  readonly #resets: FloodGate;
  #idleSince = performance.now();
  #probedAt = performance.now();
  #probe: NodeJS.Timeout | undefined;

  constructor(socket: Socket, context: Exchanging) {
    this.#socket = socket;
    this.#context = context;
    const { limits, held } = context;
    this.#shared = {
      forwarded: new ForwardedFields(originOf(socket)),
      growth: new WindowGrowth(limits.windowGrowthBytes, () => !held.isMuch),
    };
    const { pingsPerSecond, settingsPerSecond, resetBurst, resetsPerSecond } = limits;
    this.#pings = new FloodGate({ burst: pingsPerSecond, perSecond: pingsPerSecond });
    this.#settings = new FloodGate({ burst: settingsPerSecond, perSecond: settingsPerSecond });
    this.#resets = new FloodGate({ burst: resetBurst, perSecond: resetsPerSecond });
    this.#connection = new Http2Connection(
      socket,
      true,
      {
        ...limits,
        windowBytes: limits.clientWindowBytes,
        allWindowsBytes: limits.clientWindowBytes * WINDOWS,
        streams: limits.streamsPerClient,
      },
      this,
    );
  }

  /** Ends it where it was not used for long, and where nobody is there any more; and requests that do not go on. */
  review(now: number): void {
    const { clientIdleMs, clientProbeEveryMs, clientProbeWithinMs, stalledMs } = this.#context.limits;
    this.#connection.review(now, stalledMs);
    const isIdle = this.#connection.streams === 0;
    // It has been told to go, and does not: it keeps nothing but the connection, and that not for ever.
    if (this.#connection.isOver && now - this.#idleSince >= clientProbeWithinMs) this.#socket.destroy();
    else if (isIdle && now - this.#idleSince >= clientIdleMs) this.close();
    else if (now - this.#probedAt >= clientProbeEveryMs && !this.#probe) this.#ask(now);
  }

  /** GOAWAY: requests that are under way go on. */
  close(): void {
    this.#idleSince = performance.now();
    this.#connection.close();
  }

  stream(stream: Http2Stream, fields: Fields): void {
    const inbound = new Http2Inbound(stream, fields, this.#shared, (code) => {
      this.#idleSince = performance.now();
      if (inbound.isBlamed && code !== ErrorCode.none && !this.#resets.pass()) this.#cutOff();
    });
    new Exchange(inbound, this.#context).start();
  }

  pinged(): void {
    if (!this.#pings.pass()) this.#cutOff();
  }

  settings(): void {
    if (!this.#settings.pass()) this.#cutOff();
  }

  goaway(): void {}

  closed(): void {
    clearTimeout(this.#probe);
  }

  /** Whether it is there. */
  #ask(now: number): void {
    this.#probedAt = now;
    this.#probe = setTimeout(() => this.#socket.destroy(), this.#context.limits.clientProbeWithinMs);
    this.#connection.ping(() => {
      clearTimeout(this.#probe);
      this.#probe = undefined;
    });
  }

  #cutOff(): void {
    this.#connection.cutOff(ErrorCode.enhanceYourCalm);
  }
}
