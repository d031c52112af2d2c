import { MAX_PAYLOAD_BYTES } from './frames.ts';
import type { Room } from './send-queue.ts';

/**
 * How much a link may have on its way. What is handed to the system beyond what the path holds only waits in its buffers, and whatever is sent
 * next stands behind it. So the link measures the path, as BBR does (draft-ietf-ccwg-bbr): the rate at which the other end receives, and
 * the shortest round trip; their product is what the path holds, and half as much again keeps it busy.
 */
export const LEAST_FLIGHT_BYTES = 64 * 1024;
export const MOST_FLIGHT_BYTES = 16 * 1024 * 1024;
const GAIN = 1.5;
/**
 * Streams with little to send may have so many times as much on the way: they pass bulk, and still wait here when there are too many of them, or
 * when what looks small is bulk in small pieces.
 */
const SMALL_GAIN = 2;
const LEAST_PIECE_BYTES = 8 * 1024;
/** A round trip this old may hold no more: the path may have changed. Milliseconds. */
export const ROUND_TRIP_VALID_MS = 10_000;
/** How long the fastest rate counts. Milliseconds. */
const RATE_VALID_MS = 2000;
/** A position in what was sent is noted this often: bounds what is remembered. Bytes. */
const MARK_EVERY_BYTES = 16 * 1024;

/** Round trips that differ by less are the same. */
const ROUND_TRIP_NOISE = 1.25;
/** However near they are: where there are fewer cores than processes, either end may have to wait for one. */
const LEAST_ROUND_TRIP_MS = 2;

interface Mark {
  /** Bytes sent before it. */
  at: number;
  sentAt: number;
  /** What had been received by then, and when that was known. */
  received: number;
  receivedAt: number;
  /** When the last of that had been sent. */
  receivedSentAt: number;
}

/** Times are milliseconds of one clock that never jumps. */
export class Flight {
  #sent: number;
  #received: number;
  #receivedAt: number | undefined;
  #receivedSentAt: number | undefined;
  readonly #marks: Mark[] = [];
  /** Bytes a millisecond: the fastest of late, in two halves of `RATE_VALID_MS`, so that an old one is forgotten. */
  #rate = 0;
  #rateBefore = 0;
  #rateSince = 0;
  #roundTrip = Infinity;
  #roundTripAt = -Infinity;
  #limit = LEAST_FLIGHT_BYTES;
  #smallLimit = SMALL_GAIN * LEAST_FLIGHT_BYTES;

  /** @param sentBefore bytes that are on their way already, or have arrived */
  constructor(sentBefore = 0) {
    this.#sent = sentBefore;
    this.#received = 0;
  }

  get bytes(): number {
    return this.#sent - this.#received;
  }

  /** For whom there is room, as of the last look. */
  get room(): Room {
    if (this.bytes < this.#limit) return 'bulk';
    return this.bytes < this.#smallLimit ? 'small' : 'none';
  }

  /** In pieces of how much bulk should be sent: what has room for one may take a whole one beyond its limit. */
  get pieceBytes(): number {
    return Math.min(Math.max(this.#limit / 4, LEAST_PIECE_BYTES), MAX_PAYLOAD_BYTES);
  }

  /** Works out anew how much bulk may be on its way, and returns it. While the shortest round trip is measured anew, that is next to nothing. */
  look(now: number): number {
    const path = Math.max(this.#rate, this.#rateBefore) * this.#roundTrip;
    const usual = Number.isFinite(path)
      ? Math.min(Math.max(GAIN * path, LEAST_FLIGHT_BYTES), MOST_FLIGHT_BYTES)
      : LEAST_FLIGHT_BYTES;
    this.#limit = this.isProbing(now) ? LEAST_FLIGHT_BYTES / 4 : usual;
    this.#smallLimit = SMALL_GAIN * usual;
    return this.#limit;
  }

  /** Whether the shortest round trip is so old that the path has to be emptied to measure it again. */
  isProbing(now: number): boolean {
    return now - this.#roundTripAt > ROUND_TRIP_VALID_MS;
  }

  sent(bytes: number, now: number): void {
    this.#sent += bytes;
    const last = this.#marks.at(-1);
    if (last && this.#sent - last.at < MARK_EVERY_BYTES) return;
    this.#marks.push({
      at: this.#sent,
      sentAt: now,
      received: this.#received,
      receivedAt: this.#receivedAt ?? now,
      receivedSentAt: this.#receivedSentAt ?? now,
    });
  }

  /** The other end has received so much since the link began. */
  received(total: number, now: number): void {
    this.#received = Math.min(Math.max(total, this.#received), this.#sent);
    this.#receivedAt = now;
    let mark: Mark | undefined;
    while (this.#marks.length > 0 && this.#marks[0]!.at <= this.#received) mark = this.#marks.shift();
    if (!mark) return;
    this.#receivedSentAt = mark.sentAt;
    // Of the two the longer: word of what was received may come in a bunch after a pause, and what was held back goes out in one.
    const took = Math.max(now - mark.receivedAt, mark.sentAt - mark.receivedSentAt, LEAST_ROUND_TRIP_MS);
    const rate = (this.#received - mark.received) / took;
    if (now - this.#rateSince > RATE_VALID_MS / 2) {
      this.#rateBefore = this.#rate;
      this.#rate = 0;
      this.#rateSince = now;
    }
    this.#rate = Math.max(this.#rate, rate);
    this.roundTrip(now - mark.sentAt, now, mark.at - mark.received);
  }

  /** A round trip was measured, of what had so much before it on its way. Bytes. */
  roundTrip(ms: number, now: number, ahead: number): void {
    // What stood behind much else tells of the queue, not of the path.
    const isFresh = this.isProbing(now) && ahead <= LEAST_FLIGHT_BYTES;
    if (ms > this.#roundTrip * ROUND_TRIP_NOISE && !isFresh) return;
    this.#roundTrip = Math.max(isFresh ? ms : Math.min(ms, this.#roundTrip), LEAST_ROUND_TRIP_MS);
    this.#roundTripAt = now;
  }
}
