import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import type { Limits } from './limits.ts';
import { ServerSession, type Slot } from './server-session.ts';

/** The sessions to all servers that a listener's clients have asked, kept for the next request. */
export class ServerSessions {
  readonly #limits: Limits;
  readonly #servers = new Map<string, SessionsOfServer>();
  #closed = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A place at this server; undefined where one has to be waited for. */
  take(server: Server): Slot | undefined {
    return this.#servers.get(server.id)?.take();
  }

  /** Waits for a place at this server. Rejects with a `StreamError` or a `NotHttp2Error`. */
  wait(server: Server): Promise<Slot> {
    let sessions = this.#servers.get(server.id);
    if (!sessions) {
      sessions = new SessionsOfServer(this.#limits, () => this.#idleMs);
      this.#servers.set(server.id, sessions);
    }
    return sessions.wait(server);
  }

  /** Ends what is idle for long, or silent. */
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

interface Waiting {
  resolve(slot: Slot): void;
  reject(error: Error): void;
  /** While a first connection is made there is none: that has a time of its own. */
  timer: NodeJS.Timeout | undefined;
}

class SessionsOfServer {
  readonly #limits: Limits;
  readonly #idleMs: () => number;
  readonly #sessions = new Set<ServerSession>();
  readonly #waiting = new Set<Waiting>();
  #opening = false;

  constructor(limits: Limits, idleMs: () => number) {
    this.#limits = limits;
    this.#idleMs = idleMs;
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0 && this.#waiting.size === 0 && !this.#opening;
  }

  take(): Slot | undefined {
    // Whoever waits was here before.
    if (this.#waiting.size > 0) return undefined;
    for (const session of this.#sessions) if (session.hasRoom) return session.reserve();
    return undefined;
  }

  wait(server: Server): Promise<Slot> {
    if (this.#waiting.size >= this.#limits.waitingPerServer)
      return Promise.reject(full(server, `${this.#waiting.size} requests wait for it already`));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject, timer: undefined };
      this.#waiting.add(waiting);
      if (this.#isOpen) this.#limitWait(waiting, server);
      this.#serve();
      this.#open(server);
    });
  }

  get #isOpen(): boolean {
    for (const session of this.#sessions) if (session.isOpen) return true;
    return false;
  }

  #limitWait(waiting: Waiting, server: Server): void {
    waiting.timer ??= setTimeout(() => {
      this.#waiting.delete(waiting);
      const seconds = this.#limits.waitForServerMs / 1000;
      waiting.reject(full(server, `it had no room for a further request within ${seconds} s`));
    }, this.#limits.waitForServerMs);
  }

  review(now: number): void {
    for (const session of this.#sessions) session.review(now, this.#idleMs());
  }

  /** Gives room to those that wait. */
  #serve(): void {
    for (const session of this.#sessions) {
      if (session.isGone) this.#sessions.delete(session);
      while (session.hasRoom) {
        const [next] = this.#waiting;
        if (!next) return;
        this.#waiting.delete(next);
        clearTimeout(next.timer);
        next.resolve(session.reserve());
      }
    }
  }

  /** Connects once more where somebody waits: one connection after the other, so that a crowd shares the first. */
  #open(server: Server): void {
    if (this.#waiting.size === 0 || this.#opening || this.#sessions.size >= this.#limits.sessionsPerServer) return;
    this.#opening = true;
    void ServerSession.open(server, this.#limits, () => this.#changed(server)).then(
      (session) => {
        this.#opening = false;
        this.#sessions.add(session);
        this.#serve();
        for (const waiting of this.#waiting) this.#limitWait(waiting, server);
        // One that has no room to begin with is not helped by more of the same.
        if (session.isBusy) this.#open(server);
        this.#endWhereClosed();
      },
      (error: unknown) => {
        this.#opening = false;
        // While others are busy there may be room later.
        if (this.#isOpen) return;
        for (const waiting of this.#waiting) {
          clearTimeout(waiting.timer);
          waiting.reject(error as Error);
        }
        this.#waiting.clear();
      },
    );
  }

  #changed(server: Server): void {
    this.#serve();
    this.#open(server);
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
