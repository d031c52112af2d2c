import type { SiteStore } from '../site/store.ts';

/** A certificate that this site gave to another. */
export interface Issued {
  serial: string;
  siteId: string;
  siteName: string;
  /** ISO 8601, like all times here. */
  issued: string;
  /** When the site was let in, where that was with an earlier certificate, which this one renews. */
  since?: string;
  expires: string;
  /** When a link last came with it; kept once a day. */
  seen?: string;
  revoked?: string;
}

/** A site that was let in, and what tells it apart from another of its name. */
export interface SiteLetIn {
  siteId: string;
  since: string;
  seen: string | undefined;
  isRevoked: boolean;
}

const ENTRY = 'issued';
/** A certificate is forgotten so long after its end, not at once: the clock may be wrong. Milliseconds. */
const REMEMBER_MS = 30 * 86_400_000;
/** Of one site; the oldest are forgotten first. A site that asks for ever more must not fill the store. */
const MAX_OF_SITE = 32;

/** Every certificate that this site issued, by serial: so that one site can be locked out, alone and at once. */
export class IssuedCertificates {
  readonly #store: SiteStore;
  /** Oldest first. */
  readonly #bySerial: Map<string, Issued>;
  /** One saving after another: an earlier one that took longer must not have the last word. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The saving that has not begun: it saves what others want to save until then as well. */
  #next: Promise<void> | undefined;

  private constructor(store: SiteStore, issued: Issued[]) {
    this.#store = store;
    this.#bySerial = new Map(issued.map((entry) => [entry.serial, entry]));
  }

  static async load(store: SiteStore): Promise<IssuedCertificates> {
    return new IssuedCertificates(store, JSON.parse((await store.read(ENTRY)) ?? '[]') as Issued[]);
  }

  /** Whether a certificate, which TLS has found to be signed by this site, still lets its holder in. */
  admits(serial: string, siteId: string): boolean {
    return this.admitted(serial, siteId) !== undefined;
  }

  /** The certificate that lets its holder in. */
  admitted(serial: string, siteId: string): Issued | undefined {
    const entry = this.#bySerial.get(serial);
    return entry?.siteId === siteId && entry.revoked === undefined ? entry : undefined;
  }

  /** A link came with this certificate. Where that cannot be kept, nothing is lost but the day. */
  saw(serial: string, now: Date): void {
    const entry = this.#bySerial.get(serial);
    if (!entry) return;
    const before = entry.seen;
    entry.seen = now.toISOString();
    if (before?.slice(0, 10) !== entry.seen.slice(0, 10)) this.#save().catch(() => {});
  }

  /** Whether a site was revoked: for good, whatever token it holds. */
  isRevoked(siteId: string): boolean {
    return this.#of(siteId).some(({ revoked }) => revoked !== undefined);
  }

  /** Until when a site is let in. */
  endOf(siteId: string): string | undefined {
    const entries = this.#of(siteId).filter(({ revoked }) => revoked === undefined);
    return entries
      .map(({ expires }) => expires)
      .sort()
      .at(-1);
  }

  /** The one site of this id, else all of this name. */
  sitesOf(site: string): SiteLetIn[] {
    const named = [...this.#bySerial.values()].filter(({ siteName }) => siteName === site);
    const siteIds = this.#of(site).length > 0 ? [site] : [...new Set(named.map(({ siteId }) => siteId))];
    return siteIds.map((siteId) => {
      const entries = this.#of(siteId);
      const [first] = entries.map(({ issued, since }) => since ?? issued).sort();
      const seen = entries.flatMap((entry) => entry.seen ?? []).sort();
      return { siteId, since: first!, seen: seen.at(-1), isRevoked: this.isRevoked(siteId) };
    });
  }

  /** Where it cannot be kept, the certificate lets nobody in. */
  async add(entry: Issued): Promise<void> {
    this.#forgetFor(entry);
    this.#bySerial.set(entry.serial, entry);
    try {
      await this.#save();
    } catch (error) {
      this.#bySerial.delete(entry.serial);
      throw error;
    }
  }

  /**
   * Revokes every certificate of a site; resolves to how many. From the call on nothing of that site is let in, also where that cannot be
   * kept: then it rejects, and says so.
   */
  async revoke(siteId: string, now: Date): Promise<number> {
    const mine = this.#of(siteId);
    const valid = mine.filter((entry) => entry.revoked === undefined);
    for (const entry of valid) entry.revoked = now.toISOString();
    if (mine.length > 0) await this.#save();
    return valid.length;
  }

  #of(siteId: string): Issued[] {
    return [...this.#bySerial.values()].filter((entry) => entry.siteId === siteId);
  }

  /** Makes room for a new one. That a site was revoked is never forgotten. */
  #forgetFor({ siteId, issued }: Issued): void {
    const longAgo = Date.parse(issued) - REMEMBER_MS;
    const newest = new Map([...this.#bySerial.values()].map((entry) => [entry.siteId, entry]));
    for (const entry of this.#bySerial.values()) {
      const isKept = entry.revoked !== undefined && newest.get(entry.siteId) === entry;
      if (Date.parse(entry.expires) < longAgo && !isKept) this.#bySerial.delete(entry.serial);
    }
    for (const { serial } of this.#of(siteId).slice(0, 1 - MAX_OF_SITE)) this.#bySerial.delete(serial);
  }

  #save(): Promise<void> {
    this.#next ??= this.#turn.then(() => {
      this.#next = undefined;
      return this.#store.write(ENTRY, JSON.stringify([...this.#bySerial.values()]));
    });
    this.#turn = this.#next.catch(() => {});
    return this.#next;
  }
}
