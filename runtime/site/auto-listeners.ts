import type { ListenerStatus, Problem, ServiceStatus } from '../api/types.ts';
import { sentence } from '../errors.ts';
import type { ListenerConfig } from '../router/config.ts';
import type { SiteStore } from './store.ts';

const ENTRY = 'ports';
const SOURCE = 'auto';
/** Beyond this, automatic listeners would take the ports and the descriptors that the rest of the computer needs. */
export const MAX_AUTO_LISTENERS = 2000;
/** Ports of services that are gone are remembered as well, so that they are the same when those come back; the oldest go first. */
const MAX_REMEMBERED_PORTS = 10_000;
/** How long after the ports could not be kept that is tried again. Milliseconds. */
const RETRY_MS = 10_000;

interface Loopback {
  siteId: string;
  explicit: readonly ListenerConfig[];
}

/**
 * A listener on loopback for every service that other sites offer: on the service's own port where that is free, else on one that
 * the system chose once and that stays the same from run to run.
 */
export class AutoListeners {
  readonly #store: SiteStore;
  /** `address:port` → local port. */
  readonly #ports: Map<string, number>;
  /** Those that have a listener: newcomers beyond the limit take nobody's place. */
  #chosen = new Set<string>();
  #wanted = 0;
  #saving: Promise<void> | undefined;
  #unsaved = false;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Called when `problems` says something else. */
  onChange: () => void = () => {};

  private constructor(store: SiteStore, ports: Record<string, number>) {
    this.#store = store;
    this.#ports = new Map(Object.entries(ports));
  }

  static async load(store: SiteStore): Promise<AutoListeners> {
    return new AutoListeners(store, JSON.parse((await store.read(ENTRY)) ?? '{}') as Record<string, number>);
  }

  listeners(services: readonly ServiceStatus[], { siteId, explicit }: Loopback): ListenerConfig[] {
    const taken = new Set(explicit.map(({ address, servicePort }) => keyOf(address, servicePort)));
    const wanted = services
      .filter(({ destinations }) => !destinations.some((destination) => destination.siteId === siteId))
      .flatMap(({ address, type, ports }) =>
        ports.map((servicePort) => ({ key: keyOf(address, servicePort), address, type, servicePort })),
      )
      .filter(({ key }) => !taken.has(key));
    this.#wanted = wanted.length;
    const chosen =
      wanted.length <= MAX_AUTO_LISTENERS
        ? wanted
        : [...wanted.filter(({ key }) => this.#chosen.has(key)), ...wanted.filter(({ key }) => !this.#chosen.has(key))].slice(
            0,
            MAX_AUTO_LISTENERS,
          );
    this.#chosen = new Set(chosen.map(({ key }) => key));
    return chosen.map(({ key, address, type, servicePort }) => ({
      name: `auto:${key}`,
      address,
      type,
      host: '127.0.0.1',
      port: this.#ports.get(key) ?? servicePort,
      servicePort,
      orAnyPort: true,
      source: SOURCE,
    }));
  }

  /** Keeps the ports that were really had. Where they cannot be kept, that is a problem, and is tried again. */
  remember(listeners: readonly ListenerStatus[]): void {
    for (const { source, state, address, servicePort, port } of listeners) {
      const key = keyOf(address, servicePort);
      if (source !== SOURCE || state !== 'open' || (this.#ports.get(key) ?? servicePort) === port) continue;
      this.#ports.set(key, port);
      this.#unsaved = true;
    }
    for (const key of this.#ports.keys()) {
      if (this.#ports.size <= MAX_REMEMBERED_PORTS) break;
      this.#ports.delete(key);
    }
    // What could not be kept waits for its time: a full disk is not asked at every change of the network.
    if (this.#unsaved && this.#problem === undefined) this.#save();
  }

  problems(): Problem[] {
    const problems: Problem[] = [];
    if (this.#problem !== undefined) problems.push({ where: this.#store.description, message: this.#problem });
    if (this.#wanted > MAX_AUTO_LISTENERS)
      problems.push({
        where: 'settings.autoListen',
        message: `The network offers ${this.#wanted} ports, and ${MAX_AUTO_LISTENERS} have an automatic listener; for another: caravan listen ADDRESS --port PORT`,
      });
    return problems;
  }

  /** Resolves when what is being written is written, or could not be. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    this.onChange = () => {};
    await this.#saving;
    clearTimeout(this.#retry);
  }

  #save(): void {
    this.#saving ??= this.#write().finally(() => {
      this.#saving = undefined;
    });
  }

  /** One writing after another, each with what is newest then. Never rejects. */
  async #write(): Promise<void> {
    const before = this.#problem;
    try {
      while (this.#unsaved) {
        this.#unsaved = false;
        await this.#store.write(ENTRY, JSON.stringify(Object.fromEntries(this.#ports)));
      }
      this.#problem = undefined;
    } catch (error) {
      this.#unsaved = true;
      this.#problem = `The ports of automatic listeners cannot be kept, and may be others after a restart: ${sentence(error)}.`;
      this.#retry = setTimeout(() => this.#save(), RETRY_MS).unref();
    }
    if (this.#problem !== before) this.onChange();
  }
}

function keyOf(address: string, port: number): string {
  return `${address}:${port}`;
}
