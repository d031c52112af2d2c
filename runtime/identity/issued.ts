import type { SiteStore } from '../site/store.ts';

/** A certificate that this site gave to another. */
export interface Issued {
  serial: string;
  siteId: string;
  siteName: string;
  /** ISO 8601, like all times here. */
  issued: string;
  expires: string;
  revoked?: string;
}

const ENTRY = 'issued';

/** Every certificate that this site issued, by serial: so that one site can be locked out, alone and at once. */
export class IssuedCertificates {
  readonly #store: SiteStore;
  readonly #bySerial: Map<string, Issued>;
  /** One saving after another: an earlier one that took longer must not have the last word. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: SiteStore, issued: Issued[]) {
    this.#store = store;
    this.#bySerial = new Map(issued.map((entry) => [entry.serial, entry]));
  }

  static async load(store: SiteStore): Promise<IssuedCertificates> {
    return new IssuedCertificates(store, JSON.parse((await store.read(ENTRY)) ?? '[]') as Issued[]);
  }

  /** Whether a certificate, which TLS has found to be signed by this site, still lets its holder in. */
  admits(serial: string, siteId: string): boolean {
    const entry = this.#bySerial.get(serial);
    return entry !== undefined && entry.siteId === siteId && entry.revoked === undefined;
  }

  /** Whether a site was revoked: for good, whatever token it holds. */
  isRevoked(siteId: string): boolean {
    return [...this.#bySerial.values()].some((entry) => entry.siteId === siteId && entry.revoked !== undefined);
  }

  /** The sites that are meant by a name or an id. */
  siteIdsOf(site: string): string[] {
    return [...new Set(this.#of(site).map(({ siteId }) => siteId))];
  }

  /** Where it cannot be kept, the certificate lets nobody in. */
  async add(entry: Issued): Promise<void> {
    this.#bySerial.set(entry.serial, entry);
    try {
      await this.#save();
    } catch (error) {
      this.#bySerial.delete(entry.serial);
      throw error;
    }
  }

  /**
   * Revokes every certificate of a site, by its name or id; resolves to how many. From the call on nothing of that site is let in, also
   * where that cannot be kept: then it rejects, and says so.
   */
  async revoke(site: string, now: Date): Promise<number> {
    const mine = this.#of(site);
    const valid = mine.filter((entry) => entry.revoked === undefined);
    for (const entry of valid) entry.revoked = now.toISOString();
    if (mine.length > 0) await this.#save();
    return valid.length;
  }

  #of(site: string): Issued[] {
    return [...this.#bySerial.values()].filter((entry) => entry.siteId === site || entry.siteName === site);
  }

  #save(): Promise<void> {
    const saved = this.#turn.then(() => this.#store.write(ENTRY, JSON.stringify([...this.#bySerial.values()])));
    this.#turn = saved.catch(() => {});
    return saved;
  }
}
