import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import type { Limits } from './limits.ts';
import { ServerSession, type Slot } from './server-session.ts';
import { type Waiting, WaitingLine } from './waiting-line.ts';

/** So many connections are made for one request that waits where the server ends each at once. */
const MOST_LET_DOWNS = 2;

/** The sessions to all servers that a listener's clients have asked, kept for the next request. */
export class ServerSessions {
  readonly #limits: Limits;
  readonly #servers = new Map<string, SessionsOfServer>();
  #closed = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A place at this server, in another session than the one that is avoided; undefined where one has to be waited for. */
  take(server: Server, avoided?: ServerSession): Slot | undefined {
    return this.#servers.get(server.id)?.take(avoided);
  }

  /** Waits for a place at this server. It may be told at once that there is none: by a `StreamError` or a `NotHttp2Error`. */
  wait(server: Server, waiting: Waiting): void {
    let sessions = this.#servers.get(server.id);
    if (!sessions) {
      sessions = new SessionsOfServer(server, this.#limits, () => this.#idleMs);
      this.#servers.set(server.id, sessions);
    }
    sessions.wait(server, waiting);
  }

  /** Ends what is idle for long, or silent, or leads to a server that is not offered any more. */
  review(now: number): void {
    for (const [id, sessions] of this.#servers) {
      sessions.review(now);
      if (sessions.isEmpty) this.#servers.delete(id);
    }
  }

  get isEmpty(): boolean {
    return this.#servers.size === 0;
  }

  /** Ends each session as soon as it is idle. */
  close(): void {
    this.#closed = true;
    this.review(performance.now());
  }

  get #idleMs(): number {
    return this.#closed ? 0 : this.#limits.serverIdleMs;
  }
}

class SessionsOfServer {
  /** As it was last given out: the way to it may have changed. */
  #server: Server;
  readonly #limits: Limits;
  readonly #idleMs: () => number;
  readonly #sessions = new Set<ServerSession>();
  readonly #line: WaitingLine;
  #opening = false;
  #isServing = false;
  /** There may be room again, or somebody more who waits for it. */
  #isToServe = false;

  constructor(server: Server, limits: Limits, idleMs: () => number) {
    this.#server = server;
    this.#limits = limits;
    this.#idleMs = idleMs;
    this.#line = new WaitingLine(limits.waitingPerServer);
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0 && this.#line.size === 0 && !this.#opening;
  }

  take(avoided: ServerSession | undefined): Slot | undefined {
    // Whoever waits was here before.
    if (this.#line.size > 0) return undefined;
    for (const session of this.#sessions) if (session !== avoided && session.hasRoom) return session.reserve();
    return undefined;
  }

  wait(server: Server, waiting: Waiting): void {
    this.#server = server;
    const last = this.#line.add(waiting);
    if (last) this.#turnAway(last, full(this.#server, `${this.#limits.waitingPerServer} requests wait for it already`));
    if (last === waiting) return;
    waiting.cancel = () => this.#left(waiting);
    if (this.#isOpen || this.#isFull) this.#limitWait(waiting);
    this.#changed();
  }

  get #isOpen(): boolean {
    for (const session of this.#sessions) if (session.isOpen) return true;
    return false;
  }

  /** There may be no further connection. Those that there are may take no more requests, and go on with what they have for days. */
  get #isFull(): boolean {
    return this.#sessions.size >= this.#limits.sessionsPerServer;
  }

  /** Somebody waits whom a further connection may help. */
  get #isWanted(): boolean {
    return this.#line.size > 0 && this.#line.all.some(({ letDowns }) => letDowns < MOST_LET_DOWNS);
  }

  #limitWait(waiting: Waiting): void {
    waiting.timer ??= setTimeout(() => {
      const seconds = this.#limits.waitForServerMs / 1000;
      this.#turnAway(waiting, full(this.#server, `it had no room for a further request within ${seconds} s`));
    }, this.#limits.waitForServerMs);
  }

  #left(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#line.delete(waiting);
  }

  #turnAway(waiting: Waiting, error: Error): void {
    this.#left(waiting);
    waiting.events.unplaced(error);
  }

  review(now: number): void {
    const idleMs = this.#server.isOffered ? this.#idleMs() : 0;
    for (const session of this.#sessions) session.review(now, idleMs);
  }

  /** Gives room to those that wait. */
  #serve(): void {
    this.#isServing = true;
    do {
      this.#isToServe = false;
      this.#serveOnce();
    } while (this.#isToServe);
    this.#isServing = false;
  }

  #serveOnce(): void {
    for (const session of this.#sessions) {
      if (session.isGone) this.#sessions.delete(session);
      while (session.hasRoom) {
        const next = this.#line.takeFor(session);
        if (!next) break;
        clearTimeout(next.timer);
        next.events.placed(session.reserve());
      }
    }
  }

  /** Connects once more where somebody waits: one connection after the other, so that a crowd shares the first. */
  #open(): void {
    if (this.#opening || this.#isFull || !this.#isWanted) return;
    this.#opening = true;
    void ServerSession.open(this.#server, this.#limits, () => this.#changed()).then(
      (session) => this.#opened(session),
      (error: Error) => {
        this.#opening = false;
        // While others are busy there may be room later.
        if (!this.#isOpen) for (const waiting of this.#line.all) this.#turnAway(waiting, error);
      },
    );
  }

  #opened(session: ServerSession): void {
    this.#opening = false;
    this.#sessions.add(session);
    this.#serve();
    if (session.isOpen || this.#isFull) for (const waiting of this.#line.all) this.#limitWait(waiting);
    if (!session.isOpen) this.#letDown();
    // One that has no room to begin with is not helped by more of the same.
    if (session.isBusy || !session.isOpen) this.#open();
    this.#endWhereClosed();
  }

  /** A connection was made, and the server says in the same breath that it takes no requests on it. */
  #letDown(): void {
    const error = new StreamError({
      code: 'reset',
      message: `${this.#server.target} ends each connection as soon as it is made`,
    });
    for (const waiting of this.#line.all)
      if (++waiting.letDowns >= MOST_LET_DOWNS && !this.#isOpen) this.#turnAway(waiting, error);
  }

  #changed(): void {
    this.#isToServe = true;
    // Who is given a place may give it back at once: as many as wait would go as deep as the stack is.
    if (this.#isServing) return;
    this.#serve();
    this.#open();
    this.#endWhereClosed();
  }

  #endWhereClosed(): void {
    if (this.#idleMs() === 0) this.review(performance.now());
  }
}

/** A server has no room for a request. */
export function full({ target }: Server, why: string): StreamError {
  return new StreamError({ code: 'refused', message: `${target} is busy: ${why}` });
}
