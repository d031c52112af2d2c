import type { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import { full } from './server-sessions.ts';

export interface PlaceLimits {
  places: number;
  /** Claims that wait at most, and for how long. Milliseconds. */
  waiting: number;
  waitMs: number;
}

/** Who claims a place, and is told one of both: at once or later, unless it gives up before. */
export interface Claimant {
  granted(): void;
  refused(reason: StreamError): void;
}

interface Claim {
  readonly claimant: Claimant;
  readonly share: Share;
  hasPlace: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** What one client has, and what it waits for. */
interface Share {
  readonly client: string;
  underWay: number;
  readonly waiting: Set<Claim>;
}

/**
 * A server's places for requests, shared between clients: a free one goes to whoever waits and has the fewest, but to nobody who has as many
 * as are left. So a client that never gives back what it has holds half of them at most, two such clients two thirds; never all. Where too
 * many wait, the client with most of them loses its last.
 */
export class FairPlaces {
  readonly #limits: PlaceLimits;
  /** By client. Among those that have as many it is the turn of the first, which is the last then. */
  readonly #shares = new Map<string, Share>();
  #taken = 0;
  #waiting = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Nobody has a place, or waits for one. */
  get isEmpty(): boolean {
    return this.#shares.size === 0;
  }

  /** Returns what gives the claim up, whatever has become of it. Throws a `StreamError` where it cannot even wait. */
  claim(server: Server, client: string, claimant: Claimant): () => void {
    const { waiting, waitMs } = this.#limits;
    const share = this.#shares.get(client) ?? { client, underWay: 0, waiting: new Set() };
    const claim: Claim = { claimant, share, hasPlace: false, timer: undefined };
    this.#shares.set(client, share);
    share.waiting.add(claim);
    this.#waiting++;
    this.#grant();
    const last = this.#waiting > waiting ? this.#lastOfMost(share) : undefined;
    if (last) {
      const reason = full(server, `${waiting} requests wait for it already`);
      this.#giveUp(last);
      if (last === claim) throw reason;
      last.claimant.refused(reason);
    }
    if (!claim.hasPlace)
      claim.timer = setTimeout(() => {
        this.#giveUp(claim);
        claimant.refused(full(server, `it had no room for a further request within ${waitMs / 1000} s`));
      }, waitMs);
    return () => this.#giveUp(claim);
  }

  #giveUp(claim: Claim): void {
    const { share } = claim;
    clearTimeout(claim.timer);
    if (share.waiting.delete(claim)) this.#waiting--;
    else if (claim.hasPlace) {
      claim.hasPlace = false;
      share.underWay--;
      this.#taken--;
    } else return;
    if (share.underWay === 0 && share.waiting.size === 0) this.#shares.delete(share.client);
    this.#grant();
  }

  /** Gives out what is free. */
  #grant(): void {
    for (let share = this.#next(); share; share = this.#next()) {
      const [claim] = share.waiting;
      share.waiting.delete(claim!);
      this.#waiting--;
      share.underWay++;
      this.#taken++;
      this.#shares.delete(share.client);
      this.#shares.set(share.client, share);
      clearTimeout(claim!.timer);
      claim!.hasPlace = true;
      claim!.claimant.granted();
    }
  }

  /** Whose turn it is. */
  #next(): Share | undefined {
    if (this.#waiting === 0) return undefined;
    let next: Share | undefined;
    for (const share of this.#shares.values())
      if (share.waiting.size > 0 && (!next || share.underWay < next.underWay)) {
        next = share;
        if (share.underWay === 0) break;
      }
    return next && next.underWay < this.#limits.places - this.#taken ? next : undefined;
  }

  /** Of clients that have as many waiting it is the one that has come now. */
  #lastOfMost(own: Share): Claim | undefined {
    let most = own;
    for (const share of this.#shares.values()) if (share.waiting.size > most.waiting.size) most = share;
    return [...most.waiting].at(-1);
  }
}
