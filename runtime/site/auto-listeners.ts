import type { ListenerStatus, ServiceStatus } from '../api/types.ts';
import type { ListenerConfig } from '../router/config.ts';
import type { SiteStore } from './store.ts';

const ENTRY = 'ports';
const SOURCE = 'auto';

/**
 * A listener on loopback for every service that other sites offer: on the service's own port where that is free, else on one that
 * the system chose once and that stays the same from run to run.
 */
export class AutoListeners {
  readonly #store: SiteStore;
  /** `address:port` → local port. */
  readonly #ports: Map<string, number>;

  private constructor(store: SiteStore, ports: Record<string, number>) {
    this.#store = store;
    this.#ports = new Map(Object.entries(ports));
  }

  static async load(store: SiteStore): Promise<AutoListeners> {
    return new AutoListeners(store, JSON.parse((await store.read(ENTRY)) ?? '{}') as Record<string, number>);
  }

  listeners(
    services: readonly ServiceStatus[],
    { siteId, explicit }: { siteId: string; explicit: readonly ListenerConfig[] },
  ): ListenerConfig[] {
    const taken = new Set(explicit.map(({ address, servicePort }) => keyOf(address, servicePort)));
    return services
      .filter(({ destinations }) => !destinations.some((destination) => destination.siteId === siteId))
      .flatMap(({ address, type, ports }) => ports.map((servicePort) => ({ address, type, servicePort })))
      .filter(({ address, servicePort }) => !taken.has(keyOf(address, servicePort)))
      .map(({ address, type, servicePort }) => ({
        name: `auto:${keyOf(address, servicePort)}`,
        address,
        type,
        host: '127.0.0.1',
        port: this.#ports.get(keyOf(address, servicePort)) ?? servicePort,
        servicePort,
        orAnyPort: true,
        source: SOURCE,
      }));
  }

  /** Keeps the ports that were really had. */
  async remember(listeners: readonly ListenerStatus[]): Promise<void> {
    const news = listeners.filter(
      ({ source, state, address, servicePort, port }) =>
        source === SOURCE && state === 'open' && (this.#ports.get(keyOf(address, servicePort)) ?? servicePort) !== port,
    );
    if (news.length === 0) return;
    for (const { address, servicePort, port } of news) this.#ports.set(keyOf(address, servicePort), port);
    await this.#store.write(ENTRY, JSON.stringify(Object.fromEntries(this.#ports)));
  }
}

function keyOf(address: string, port: number): string {
  return `${address}:${port}`;
}
