import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import type { Limits } from './limits.ts';
import { ServerSession, type Share, type Slot } from './server-session.ts';
import { type Waiting, WaitingLine } from './waiting-line.ts';

/** Of the connections that there may be to a server, so many more may be there that are too old and go on with what they have, for days maybe. */
const MOST_OLD = 1 / 4;
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

  /** A place at this server for a client, in another session than the one that is avoided; undefined where one has to be waited for. */
  take(server: Server, client: string, avoided?: ServerSession): Slot | undefined {
    return this.#servers.get(server.id)?.take(client, avoided);
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

/**
 * The sessions to one server. Their places are shared between clients as `FairPlaces` shares those of a server that speaks HTTP/1.1: nobody gets
 * one who has as many as are left, those of connections that could be made included.
 */
class SessionsOfServer {
  /** As it was last given out: the way to it may have changed. */
  #server: Server;
  readonly #limits: Limits;
  readonly #idleMs: () => number;
  readonly #sessions = new Set<ServerSession>();
  /** Those that take no further requests since they are too old. */
  readonly #old = new Set<ServerSession>();
  readonly #line: WaitingLine;
  /** By client, also of those that have nothing under way since it was last looked after. */
  readonly #shares = new Map<string, Share>();
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
    return this.#sessions.size === 0 && this.#old.size === 0 && this.#line.size === 0 && !this.#opening;
  }

  take(client: string, avoided: ServerSession | undefined): Slot | undefined {
    // Whoever waits was here before. What is free after that is free since it is not for them.
    if (this.#isServing && this.#line.size > 0) return undefined;
    if (!this.#mayHave(client)) return undefined;
    for (const session of this.#sessions)
      if (session !== avoided && session.room > 0) return session.reserve(this.#shareOf(client));
    return undefined;
  }

  wait(server: Server, waiting: Waiting): void {
    this.#server = server;
    const last = this.#line.add(waiting);
    if (last) this.#turnAway(last, full(this.#server, `${this.#limits.waitingPerServer} requests wait for it already`));
    if (last === waiting) return;
    waiting.cancel = () => this.#left(waiting);
    if (this.#isOpen || this.#isFull || !this.#mayHave(waiting.client)) this.#limitWait(waiting);
    this.#changed();
  }

  #shareOf(client: string): Share {
    let share = this.#shares.get(client);
    if (!share) {
      share = { underWay: 0 };
      this.#shares.set(client, share);
    }
    return share;
  }

  /** It has fewer places than are left. */
  readonly #mayHave = (client: string): boolean => {
    const underWay = this.#shares.get(client)?.underWay ?? 0;
    let places = this.#limits.streamsPerServerSession;
    let left = 0;
    // Mostly the first is enough.
    for (const session of this.#sessions) {
      left += session.room;
      if (underWay < left) return true;
      ({ places } = session);
    }
    return underWay < left + (this.#limits.sessionsPerServer - this.#sessions.size) * places;
  };

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
    return this.#line.has(this.#mayHave, ({ letDowns }) => letDowns < MOST_LET_DOWNS);
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
    for (const sessions of [this.#sessions, this.#old]) for (const session of sessions) session.review(now, idleMs);
    for (const session of this.#sessions) if (session.isOpen && session.isOld(now)) this.#retire(session);
    for (const [client, { underWay }] of this.#shares) if (underWay === 0) this.#shares.delete(client);
  }

  #retire(session: ServerSession): void {
    if (this.#old.size >= this.#limits.sessionsPerServer * MOST_OLD) return;
    this.#sessions.delete(session);
    this.#old.add(session);
    session.retire();
    this.#changed();
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
    for (const session of this.#old) if (session.isGone) this.#old.delete(session);
    for (const session of this.#sessions) {
      if (session.isGone) this.#sessions.delete(session);
      while (session.room > 0) {
        const next = this.#line.takeFor(session, this.#mayHave);
        if (!next) break;
        clearTimeout(next.timer);
        next.events.placed(session.reserve(this.#shareOf(next.client)));
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
    if (!session.isOpen) this.#letDown();
    // One that has no room to begin with is not helped by more of the same.
    if (session.isBusy || !session.isOpen) this.#open();
    if (session.isOpen || !this.#opening) for (const waiting of this.#line.all) this.#limitWait(waiting);
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
