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

  async add(entry: Issued): Promise<void> {
    this.#bySerial.set(entry.serial, entry);
    await this.#save();
  }

  /** Revokes every certificate of a site, by its name or id; returns how many, and whose. */
  async revoke(site: string, now: Date): Promise<{ certificates: number; siteIds: string[] }> {
    const mine = [...this.#bySerial.values()].filter((entry) => entry.siteId === site || entry.siteName === site);
    const valid = mine.filter((entry) => entry.revoked === undefined);
    for (const entry of valid) entry.revoked = now.toISOString();
    await this.#save();
    return { certificates: valid.length, siteIds: [...new Set(mine.map((entry) => entry.siteId))] };
  }

  #save(): Promise<void> {
    return this.#store.write(ENTRY, JSON.stringify([...this.#bySerial.values()]));
  }
}
