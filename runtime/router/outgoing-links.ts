import type { LinkStatus } from '../api/types.ts';
import type { Log } from '../log.ts';
import type { LinkConfig } from './config.ts';
import { OutgoingLink, type PortForwardDial } from './outgoing-link.ts';
import type { Router } from './router.ts';

/** The links that this site dials, as its resources name them. */
export class OutgoingLinks {
  readonly #router: Router;
  readonly #options: { log: Log; changed: () => void; portForward?: PortForwardDial | undefined };
  #links = new Map<string, OutgoingLink>();

  constructor(router: Router, options: { log: Log; changed: () => void; portForward?: PortForwardDial | undefined }) {
    this.#router = router;
    this.#options = options;
  }

  get configs(): LinkConfig[] {
    return [...this.#links.values()].map(({ config }) => config);
  }

  /** Brings the links to this list. One that did not change stays up. */
  set(configs: readonly LinkConfig[]): void {
    const next = new Map<string, OutgoingLink>();
    for (const config of configs) {
      const known = this.#links.get(config.name);
      const hasNewCertificate = known?.config.credentials.certificate !== config.credentials.certificate;
      // One that is not up may well be so for want of the new certificate: it begins anew, and at once.
      if (known && isSameBut(known.config, config) && (known.isUp || !hasNewCertificate)) {
        if (hasNewCertificate) known.setCredentials(config.credentials);
        if (known.config.cost !== config.cost) known.setCost(config.cost);
        next.set(config.name, known);
      } else {
        known?.close('the link was changed');
        next.set(config.name, new OutgoingLink(config, this.#router, this.#options));
      }
      this.#links.delete(config.name);
    }
    for (const gone of this.#links.values()) gone.close('the link was removed');
    this.#links = next;
  }

  close(message: string): void {
    for (const link of this.#links.values()) link.close(message);
  }

  status(site: string): LinkStatus[] {
    return [...this.#links.values()].map((link) => link.status(site));
  }
}

/** Whether two links differ at most in their cost and in what they show to the other site: that is changed while they carry traffic. */
function isSameBut(a: LinkConfig, b: LinkConfig): boolean {
  return JSON.stringify(lasting(a)) === JSON.stringify(lasting(b));
}

function lasting({ credentials, ...config }: LinkConfig): object {
  return { ...config, cost: 0, authority: credentials.authority };
}
