import type { ConnectorStatus } from '../api/types.ts';
import { StreamError } from '../link/reason.ts';
import type { ClientInfo } from '../protocols/client-info.ts';
import { connectToTarget } from '../protocols/tcp/tcp-target.ts';
import { Failures } from '../routing/failures.ts';
import { isServer } from '../routing/intercept.ts';
import { headerText } from '../routing/request-rule.ts';
import type { Offer } from '../routing/types.ts';
import type { Target } from '../site/resources.ts';
import type { ConnectorConfig } from './config.ts';
import { TlsProblems } from './tls-problems.ts';
import type { Duplex } from 'node:stream';

/** No further server is tried after this; whoever chose this site has others to try. Milliseconds. */
const CONNECT_ALL_WITHIN_MS = 7000;

/** A server that refused datagrams is offered no more for so long; then it has another chance. Milliseconds. */
export const REFUSED_FOR_MS = 5000;

/** Whom a client wants to talk to, and who it is. */
export interface Wanted extends ClientInfo {
  address: string;
  port: number;
  /** The one server; any of the address where it is not given. */
  target?: string | undefined;
}

export interface ServerConnection {
  stream: Duplex;
  /** The server's name. */
  target: string;
}

/** A server that counts as used until it is released. */
export interface PickedServer {
  target: Target;
  release: () => void;
  /** It refused: others are picked for a while. */
  refused: () => void;
}

type Taking = Pick<ConnectorConfig, 'rule' | 'weight' | 'intercept'>;

/** A server, and the connector that leads to it. */
interface Server extends Target {
  connector: ConnectorConfig;
}

/** The servers of this site: what its connectors lead to. */
export class Servers {
  #connectors: ConnectorConfig[] = [];
  /** `host:port` → connections that have not ended. */
  readonly #connections = new Map<string, number>();
  /** When each was last used, as a running number: ties go to whoever waited longest. */
  readonly #lastUsed = new Map<string, number>();
  #uses = 0;
  readonly #failures = new Failures();
  readonly #tlsProblems: TlsProblems;
  /** Those that refused datagrams a while ago, until each is offered again. */
  readonly #refusing = new Map<string, NodeJS.Timeout>();
  readonly #offersChanged: () => void;

  /** `changed` is called when what the status says of a server changes, `offersChanged` when `offers` does by itself. */
  constructor(changed: () => void = () => {}, offersChanged: () => void = () => {}) {
    this.#tlsProblems = new TlsProblems(changed);
    this.#offersChanged = offersChanged;
  }

  set(connectors: ConnectorConfig[]): void {
    const addresses = new Set(connectors.map(({ address }) => address));
    for (const { address } of this.#connectors) if (!addresses.has(address)) this.#failures.forget(address);
    this.#connectors = connectors;
    const keys = new Set(connectors.flatMap(({ targets }) => targets.map(keyOf)));
    for (const key of this.#lastUsed.keys()) if (!keys.has(key)) this.#lastUsed.delete(key);
    const withTls = new Set(connectors.flatMap((connector) => connector.targets.map((target) => tlsKeyOf(connector, target))));
    this.#tlsProblems.keep((key) => withTls.has(key));
  }

  /** What this site offers, also what no server is ready for at the moment. */
  offers(): Offer[] {
    const offers = new Map<string, Offer>();
    for (const connector of this.#connectors) {
      const { address, type, distribution, aggregate, listenerCredentials, port, exact, rule, weight, intercept, targets } =
        connector;
      const offer: Offer = offers.get(address) ?? { address, type, distribution, ...(aggregate && { aggregate }), ports: [] };
      offers.set(address, offer);
      // One that names none must not have clients spoken to plainly.
      if (listenerCredentials !== undefined) offer.listenerCredentials ??= listenerCredentials;
      const names = targets.filter((target) => type !== 'udp' || !this.#refusing.has(keyOf(target))).map(({ name }) => name);
      // Several connectors that take any port are several servers of one address, whatever ports they listen on.
      const known = offer.ports.find((offered) => (exact ? offered.port === port : !offered.exact) && isSame(offered, connector));
      if (!known)
        offer.ports.push({
          port,
          targets: names,
          ...(exact && { exact }),
          ...(rule && { rule }),
          ...(weight !== undefined && { weight }),
          ...(intercept && { intercept }),
        });
      else {
        known.targets.push(...names);
        if (!exact) known.port = Math.min(known.port, port);
      }
    }
    for (const { ports } of offers.values()) {
      ports.sort((a, b) => a.port - b.port);
      for (const offered of ports) offered.targets = [...new Set(offered.targets)].sort();
    }
    return [...offers.values()];
  }

  /**
   * Connects to the server with the fewest connections; where it refuses, to the next, for as long as the client waits. Those that failed of
   * late are the last. Rejects with the last one's reason.
   */
  async connect(
    { address, port, target: only, ...info }: Wanted,
    isWaiting: () => boolean = () => true,
  ): Promise<ServerConnection> {
    const all = this.#servers(address, port, only !== undefined);
    const waiting = this.#leastUsed(address, only === undefined ? all : all.filter(({ name }) => name === only));
    let last: StreamError | undefined;
    const deadline = performance.now() + CONNECT_ALL_WITHIN_MS;
    for (const target of waiting) {
      if (!isWaiting() || performance.now() > deadline) break;
      const { release } = this.#use(target);
      const key = keyOf(target);
      this.#failures.tried(address, key, performance.now());
      try {
        const { connector } = target;
        const stream = await connectToTarget(target, connector, info);
        this.#failures.took(address, key);
        stream.once('close', release);
        if (connector.tls) this.#tlsProblems.connected(tlsKeyOf(connector, target), stream);
        return { stream, target: target.name };
      } catch (error) {
        release();
        this.#tlsProblems.failed(tlsKeyOf(target.connector, target), error);
        if (!(error instanceof StreamError)) throw error;
        this.#failures.failed(address, key, performance.now());
        last = error;
      }
    }
    const absent = all.length > 0 && only !== undefined ? `${only} is not there any more` : `${address} is not offered here`;
    throw last ?? new StreamError({ code: 'unreachable', message: absent });
  }

  /** The server with the fewest connections and flows, or every one, for a flow of datagrams; none where there is none. */
  pick(address: string, port: number, every: boolean): PickedServer[] {
    const taking = this.#servers(address, port).filter((target) => !this.#refusing.has(keyOf(target)));
    const targets = this.#leastUsed(address, taking);
    return (every ? targets : targets.slice(0, 1)).map((target) => ({
      ...this.#use(target),
      refused: () => this.#refused(keyOf(target)),
    }));
  }

  close(): void {
    for (const timer of this.#refusing.values()) clearTimeout(timer);
  }

  /** `problemOf`: why the servers of a connector take nothing, where somebody else talks to them. */
  status(problemOf: (connector: string) => string | undefined = () => undefined): ConnectorStatus[] {
    return this.#connectors.map((connector) => {
      const { name, address, type, distribution, port, targets, pending, source, intercept, rule } = connector;
      const problems = targets.flatMap((target) => this.#problemOf(connector, target) ?? []);
      const waits = targets.length === 0 ? (pending ?? 'it has no server') : problemOf(name);
      const message = waits ?? problems[0];
      return {
        name,
        address,
        type,
        distribution,
        port,
        targets: targets.map((target) => target.name),
        state: waits ? 'pending' : problems.length === targets.length ? 'failed' : 'ready',
        ...(message && { message }),
        ...(intercept && { intercept: { how: intercept, ...(rule?.header && { header: headerText(rule.header) }) } }),
        source,
        connections: targets.reduce((sum, target) => sum + this.#count(target), 0),
      };
    });
  }

  #problemOf(connector: ConnectorConfig, target: Target): string | undefined {
    if (connector.type === 'udp' && this.#refusing.has(keyOf(target))) return `${target.name} refuses datagrams`;
    return this.#tlsProblems.of(tlsKeyOf(connector, target));
  }

  /** `forRequests`: also those that take only certain requests, or copies; who asks for one of them knows that this is one. */
  #servers(address: string, port: number, forRequests = false): Server[] {
    const mine = this.#connectors.filter(
      (connector) => connector.address === address && (forRequests || (!connector.rule && isServer(connector))),
    );
    const exact = mine.filter((connector) => connector.exact && connector.port === port);
    return (exact.length > 0 ? exact : mine.filter((connector) => !connector.exact)).flatMap((connector) =>
      connector.targets.map((target) => ({ ...target, connector })),
    );
  }

  /** Those that stand in for the others before these, and those that failed of late behind them. */
  #leastUsed(address: string, servers: readonly Server[]): Server[] {
    const now = performance.now();
    const isAside = (server: Server) => this.#failures.isAside(address, keyOf(server), now);
    return servers.toSorted(
      (a, b) =>
        Number(b.connector.intercept === 'take-over') - Number(a.connector.intercept === 'take-over') ||
        Number(isAside(a)) - Number(isAside(b)) ||
        this.#count(a) - this.#count(b) ||
        (this.#lastUsed.get(keyOf(a)) ?? 0) - (this.#lastUsed.get(keyOf(b)) ?? 0),
    );
  }

  #refused(key: string): void {
    clearTimeout(this.#refusing.get(key));
    this.#refusing.set(
      key,
      setTimeout(() => {
        this.#refusing.delete(key);
        this.#offersChanged();
      }, REFUSED_FOR_MS).unref(),
    );
    this.#offersChanged();
  }

  #use(target: Target): Omit<PickedServer, 'refused'> {
    const key = keyOf(target);
    this.#lastUsed.set(key, ++this.#uses);
    this.#change(key, 1);
    return { target, release: () => this.#change(key, -1) };
  }

  #count(target: Target): number {
    return this.#connections.get(keyOf(target)) ?? 0;
  }

  #change(key: string, by: number): void {
    const count = (this.#connections.get(key) ?? 0) + by;
    if (count > 0) this.#connections.set(key, count);
    else this.#connections.delete(key);
  }
}

/** Whether servers of both get the same. */
function isSame(a: Taking, b: Taking): boolean {
  return a.weight === b.weight && a.intercept === b.intercept && JSON.stringify(a.rule) === JSON.stringify(b.rule);
}

function keyOf({ host, port }: Target): string {
  return `${host}:${port}`;
}

/** Another certificate or authority is another chance. */
function tlsKeyOf({ name, tls }: ConnectorConfig, target: Target): string {
  return JSON.stringify([name, keyOf(target), tls]);
}
