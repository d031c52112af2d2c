import { ConnectionError, ErrorCode } from './frames.ts';

/** Answers that wait for an end that does not read: what nghttp2 allows (CVE-2019-9512, CVE-2019-9515). */
const MAX_UNREAD_ANSWERS = 1000;

export interface PatienceLimits {
  /** Frames that are against the protocol, or of no use; streams that are refused. In all. */
  invalidFrames: number;
  rejectedStreams: number;
}

/** Counts what the other end of a connection does that costs much or is of no use. Too much of it is thrown: a `ConnectionError`. */
export class Patience {
  readonly #limits: PatienceLimits;
  #invalidFrames = 0;
  #rejectedStreams = 0;
  #unreadAnswers = 0;

  constructor(limits: PatienceLimits) {
    this.#limits = limits;
  }

  invalid(what: string): void {
    if (++this.#invalidFrames > this.#limits.invalidFrames) lost(`it sends too much that is of no use: ${what}`);
  }

  /** It opened a stream more than it may. */
  rejected(): void {
    if (++this.#rejectedStreams > this.#limits.rejectedStreams) lost('it opens more streams than it may');
  }

  /** It made this end send one more frame. `isUnread`: those before it wait still. */
  answered(isUnread: boolean): void {
    this.#unreadAnswers = isUnread ? this.#unreadAnswers + 1 : 0;
    if (this.#unreadAnswers > MAX_UNREAD_ANSWERS) lost('it does not read what it is answered');
  }
}

function lost(why: string): never {
  throw new ConnectionError(ErrorCode.enhanceYourCalm, why);
}
