import type { Clock } from '../clock.ts';
import { sentence } from '../errors.ts';
import type { Validity } from '../identity/validity.ts';
import type { Log } from '../log.ts';
import { endsWhen } from '../words.ts';

/**
 * How often a certificate is looked at. No timer waits for the day itself: timers stand still while a laptop sleeps, and take 24 days at
 * most. Milliseconds.
 */
const LOOK_EVERY_MS = 3_600_000;
/** Between attempts; doubles from the first to the last, with a random part so that many do not come at once. Milliseconds. */
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 6 * LOOK_EVERY_MS;
/** How long before the end people are told that it was not renewed. Milliseconds. */
export const TELL_BEFORE_MS = 30 * 86_400_000;

export interface RenewalOptions {
  /** For the log: `the certificate of link west`. */
  what: string;
  clock: Clock;
  /** Of the certificate as it is now. */
  validity: () => Validity;
  isDue: (validity: Validity, now: number) => boolean;
  /** Gets a new certificate, keeps it, and puts it to use, in this order. */
  renew: (signal: AbortSignal) => Promise<void>;
  log: Log;
  /** Called when an attempt is over. */
  changed: () => void;
}

/** Looks after one certificate: has it renewed when it is time, and again where that failed. */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #ended = new AbortController();
  #failures = 0;
  #why = '';
  #callOff: () => void = () => {};

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Renews the certificate where it is time, and looks again later. Never rejects. */
  async look(): Promise<void> {
    const { what, clock, validity, isDue, renew, log, changed } = this.#options;
    const { signal } = this.#ended;
    const wasDue = isDue(validity(), clock.now());
    try {
      if (wasDue) await renew(signal);
      this.#failures = 0;
      if (wasDue) log.info(`renewed ${what}`, { until: new Date(validity().until).toISOString() });
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      this.#why = sentence(error).replace(/\.$/, '');
      log.warn(`${what} could not be renewed`, { error: this.#why });
    }
    if (signal.aborted) return;
    this.#callOff = clock.after(this.#failures === 0 ? LOOK_EVERY_MS : pause(this.#failures), () => void this.look());
    if (wasDue) changed();
  }

  /** From 30 days before its end on: `ends in 12 days and could not be renewed: nothing listens there`. */
  get problem(): string | undefined {
    const { clock, validity } = this.#options;
    if (this.#failures === 0) return undefined;
    const { until } = validity();
    const now = clock.now();
    if (until - now > TELL_BEFORE_MS) return undefined;
    return `${endsWhen(new Date(until).toISOString(), new Date(now))} and could not be renewed: ${this.#why}`;
  }

  close(): void {
    this.#ended.abort(new Error('the site ends'));
    this.#callOff();
  }
}

function pause(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS) * (0.75 + Math.random() / 2);
}
