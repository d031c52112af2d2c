import type { Log } from '../log.ts';
import { AmqpServer } from '../protocols/amqp/amqp-server.ts';
import type { ClientTls } from '../protocols/tls/client-tls.ts';
import type { Target } from '../site/resources.ts';
import type { ConnectorConfig } from './config.ts';
import type { Router } from './router.ts';

/** The AMQP servers of this site's connectors: each gets messages over one connection, which is kept. */
export class AmqpServers {
  readonly #router: Router;
  readonly #log: Log;
  readonly #changed: () => void;
  #servers = new Map<string, { connector: string; server: AmqpServer }>();

  constructor(router: Router, log: Log, changed: () => void) {
    this.#router = router;
    this.#log = log;
    this.#changed = changed;
  }

  /** Brings them to the servers of these connectors. One that did not change keeps its connection. */
  set(connectors: readonly ConnectorConfig[]): void {
    const next = new Map<string, { connector: string; server: AmqpServer }>();
    for (const { name: connector, type, address, targets, tls } of connectors)
      for (const target of type === 'amqp' ? targets : []) {
        const key = JSON.stringify([connector, address, target, tls]);
        const server = this.#servers.get(key)?.server ?? this.#open(address, target, tls);
        this.#servers.delete(key);
        next.set(key, { connector, server });
      }
    for (const { server } of this.#servers.values()) server.close();
    this.#servers = next;
  }

  /** Why no server of a connector takes messages; undefined where one does, or there is none. */
  problemOf(name: string): string | undefined {
    const mine = [...this.#servers.values()].filter(({ connector }) => connector === name).map(({ server }) => server);
    if (mine.length === 0 || mine.some(({ isReady }) => isReady)) return undefined;
    return mine[0]!.problem ?? 'it has not taken the connection yet';
  }

  #open(address: string, target: Target, tls: ClientTls | undefined): AmqpServer {
    return new AmqpServer({ hub: this.#router.amqp, log: this.#log, address, target, tls, changed: this.#changed });
  }
}
