import type { Problem } from '../api/types.ts';
import type { Clock } from '../clock.ts';
import type { KeyAndCertificate } from '../identity/certificates.ts';
import { type Identity, renewServerCertificate } from '../identity/identity.ts';
import { endOf, isDue, validityOf } from '../identity/validity.ts';
import type { Log } from '../log.ts';
import { endsWhen } from '../words.ts';
import { Renewal } from './renewal.ts';
import type { SiteStore } from './store.ts';

/** How long before the end of its authority people are told. Milliseconds. */
const TELL_OF_AUTHORITY_BEFORE_MS = 365 * 86_400_000;

export interface ServerCertificateOptions {
  store: SiteStore;
  clock: Clock;
  log: Log;
  /** There is a new one. */
  renewed: () => void;
  changed: () => void;
}

/** What this site shows to those that dial it: signed anew by its own authority before it ends. */
export class ServerCertificate {
  readonly #renewal: Renewal;
  readonly #clock: Clock;
  #identity: Identity;

  constructor(identity: Identity, { store, clock, log, renewed, changed }: ServerCertificateOptions) {
    this.#identity = identity;
    this.#clock = clock;
    this.#renewal = new Renewal({
      what: 'the certificate that this site shows',
      clock,
      validity: () => validityOf(this.current.certificate),
      // One from the future was signed while the clock was wrong, and nobody takes it.
      isDue: (validity, now) => isDue(validity, now) || now < validity.from,
      renew: async () => {
        this.#identity = await renewServerCertificate(store, this.#identity, clock.now());
        renewed();
      },
      log,
      changed,
    });
  }

  get current(): KeyAndCertificate {
    return this.#identity.server;
  }

  /** ISO 8601. */
  get ends(): string {
    return endOf(this.current.certificate);
  }

  /** Renews it where it is time; from then on that is looked at again and again. Never rejects. */
  look(): Promise<void> {
    return this.#renewal.look();
  }

  problems(): Problem[] {
    const where = 'the identity of this site';
    const { problem } = this.#renewal;
    const problems: Problem[] = [];
    if (problem !== undefined) {
      const message = `The certificate that this site shows ${problem}. Mend that: without one no site can link to this one.`;
      problems.push({ where, message });
    }
    const end = endOf(this.#identity.authority.certificate);
    const now = this.#clock.now();
    if (Date.parse(end) - now < TELL_OF_AUTHORITY_BEFORE_MS) {
      const message = `Its authority ${endsWhen(end, new Date(now))}; no other site can link to it from then on. Make this site anew before, and link it again.`;
      problems.push({ where, message });
    }
    return problems;
  }

  close(): void {
    this.#renewal.close();
  }
}
