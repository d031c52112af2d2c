import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Problem } from '../api/types.ts';
import type { Clock } from '../clock.ts';
import { isDue, validityOf } from '../identity/validity.ts';
import type { Log } from '../log.ts';
import type { LinkConfig } from '../router/config.ts';
import type { PortForwardDial } from '../router/outgoing-link.ts';
import { Renewal } from './renewal.ts';
import type { SiteStore } from './store.ts';

const FOLDER = 'renewed/';

/** What a link got in place of the certificate that its Secret has. PEM. */
interface Renewed {
  /** Serial of the one in the Secret: where that is another, it counts again. */
  insteadOf: string;
  certificate: string;
  key: string;
}

/** By the link's name. */
export type RenewedCertificates = Map<string, Renewed>;

interface Kept {
  /** As its resource says it. */
  wished: LinkConfig;
  /** With the certificate that it has now. */
  link: LinkConfig;
  renewal: Renewal;
}

export interface LinkCertificatesOptions {
  siteId: string;
  store: SiteStore;
  clock: Clock;
  portForward: PortForwardDial | undefined;
  log: Log;
  /** A link has a new certificate: `set` gives it from now on. */
  renewed: () => void;
  changed: () => void;
}

/**
 * The certificates with which this site dials others, renewed by those before they end. The new ones are in the site's store, beside the
 * Secrets of the links: those may stand in somebody's files.
 */
export class LinkCertificates {
  readonly #options: LinkCertificatesOptions;
  readonly #renewed: RenewedCertificates;
  /** By the link's name, too. */
  readonly #kept = new Map<string, Kept>();

  constructor(renewed: RenewedCertificates, options: LinkCertificatesOptions) {
    this.#renewed = renewed;
    this.#options = options;
  }

  static async remembered(store: SiteStore): Promise<RenewedCertificates> {
    const renewed: RenewedCertificates = new Map();
    for (const entry of await store.list(FOLDER))
      renewed.set(entry.slice(FOLDER.length), JSON.parse((await store.read(entry)) ?? '{}') as Renewed);
    return renewed;
  }

  /** The links with the newest certificates that they got; from now on it is these that are renewed. */
  set(links: readonly LinkConfig[]): LinkConfig[] {
    const names = new Set(links.map(({ name }) => name));
    for (const name of this.#kept.keys()) if (!names.has(name)) this.#drop(name);
    return links.map((wished) => {
      const link = this.#newest(wished);
      const kept = this.#kept.get(link.name);
      if (kept) Object.assign(kept, { wished, link });
      else this.#keep(wished, link);
      return link;
    });
  }

  /** A link was removed for good. */
  async forget(name: string): Promise<void> {
    this.#renewed.delete(name);
    await this.#options.store.remove(FOLDER + name);
  }

  problems(): Problem[] {
    const now = this.#options.clock.now();
    return [...this.#kept.values()].flatMap(({ link, renewal: { problem } }) => {
      // What has ended is told by the link itself.
      if (problem === undefined || validityOf(link.credentials.certificate).until <= now) return [];
      const message = `Its certificate ${problem}. Mend that, or link anew before: caravan token issue there, caravan token redeem here.`;
      return [{ where: `Link ${link.name}`, message }];
    });
  }

  close(): void {
    for (const name of this.#kept.keys()) this.#drop(name);
  }

  #keep(wished: LinkConfig, link: LinkConfig): void {
    const { clock, log, changed } = this.#options;
    const kept: Kept = {
      wished,
      link,
      renewal: new Renewal({
        what: `the certificate of link ${link.name}`,
        clock,
        validity: () => validityOf(kept.link.credentials.certificate),
        // One that has ended opens no door, this one neither.
        isDue: (validity, now) => isDue(validity, now) && now < validity.until,
        renew: (signal) => this.#renew(kept, signal),
        log,
        changed,
      }),
    };
    this.#kept.set(link.name, kept);
    void kept.renewal.look();
  }

  #drop(name: string): void {
    this.#kept.get(name)?.renewal.close();
    this.#kept.delete(name);
  }

  #newest(wished: LinkConfig): LinkConfig {
    const renewed = this.#renewed.get(wished.name);
    if (!renewed) return wished;
    if (renewed.insteadOf !== serialOf(wished)) {
      void this.forget(wished.name).catch(() => {});
      return wished;
    }
    const { certificate, key } = renewed;
    return { ...wished, credentials: { ...wished.credentials, certificate, key } };
  }

  /** With a new key: one that somebody has got hold of is worth nothing for longer than its certificate. */
  async #renew({ wished, link }: Kept, signal: AbortSignal): Promise<void> {
    const { siteId, store, portForward, renewed } = this.#options;
    // Loaded here: node-forge is large, and is needed once in months.
    const { makeSigningRequest } = await import('../identity/certificates.ts');
    const { renewAt } = await import('./renewals.ts');
    const { key, request } = await makeSigningRequest(siteId);
    const certificate = await renewAt(link, request, { portForward, signal });
    if (!isFor(siteId, { ...link.credentials, certificate, key }))
      throw new Error('that site answers with a certificate that is not for this one');
    const entry: Renewed = { insteadOf: serialOf(wished), certificate, key };
    signal.throwIfAborted();
    await store.write(FOLDER + link.name, JSON.stringify(entry));
    signal.throwIfAborted();
    this.#renewed.set(link.name, entry);
    renewed();
  }
}

function serialOf({ credentials }: LinkConfig): string {
  return new X509Certificate(credentials.certificate).serialNumber;
}

/** Whether that site lets this one in with a certificate: it replaces one that is still good. */
function isFor(siteId: string, { authority, certificate, key }: LinkConfig['credentials']): boolean {
  const x509 = new X509Certificate(certificate);
  return (
    x509.subject === `CN=${siteId}` &&
    x509.verify(new X509Certificate(authority).publicKey) &&
    x509.checkPrivateKey(createPrivateKey(key))
  );
}
