import type { FanOut } from '../protocols/listener.ts';
import type { Candidate } from '../routing/balancer.ts';
import type { KnownOffer, RoutingEngine } from '../routing/engine.ts';
import { type Intercept, isServer } from '../routing/intercept.ts';
import { type Member, membersOf } from '../routing/multicast.ts';
import type { RequestRule } from '../routing/request-rule.ts';
import { type Distribution, type OfferedPort, type Place, portsFor, type RouterId } from '../routing/types.ts';

/** Addresses and ports that are remembered at most. */
const MAX_KNOWN = 10_000;

/** A router whose servers a client could be sent to. */
export interface Destination extends Candidate {
  place: Place;
  site: string;
  /** It stands in for the others. */
  intercept?: Intercept;
}

/** One server, for requests. */
export interface RequestServer extends Candidate {
  /** Those that share one weight. */
  group: string;
  rule: RequestRule | undefined;
  weight: number | undefined;
  intercept: Intercept | undefined;
  place: Place;
  target: string;
  site: string;
}

/** What of an address can be reached by clients of one port. */
interface Known {
  readonly distribution: Distribution;
  readonly fanOut: FanOut | undefined;
  readonly destinations: readonly Destination[];
  readonly servers: readonly RequestServer[];
  /** Who gets copies of requests. */
  readonly listening: readonly RequestServer[];
}

/** Who could serve the clients of an address and port: worked out when it is first asked for after a change, for all requests until the next. */
export class Directory {
  readonly #engine: RoutingEngine;
  readonly #known = new Map<string, Known>();

  constructor(engine: RoutingEngine) {
    this.#engine = engine;
  }

  /** Paths or services have changed. */
  forget(): void {
    this.#known.clear();
  }

  of(address: string, port: number): Known {
    const key = `${port} ${address}`;
    let known = this.#known.get(key);
    if (known) return known;
    known = this.#look(address, port);
    // Clients of a proxy may ask for whatever they like.
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }

  #look(address: string, port: number): Known {
    const offers = this.#engine.offersOf(address);
    const { distribution = 'balanced', aggregate = 'event' } = offers[0]?.offer ?? {};
    const portsOf = ({ offer }: KnownOffer) => portsFor(offer.ports, port).filter(({ targets }) => targets.length > 0);
    const members = membersOf(offers.filter((known) => portsOf(known).length > 0));
    const offered = members.flatMap((known) => portsOf(known).map((each) => ({ known, offered: each })));
    const servers = offered.flatMap((each) => serversIn(address, each));
    return {
      distribution,
      fanOut: distribution === 'multicast' ? aggregate : undefined,
      destinations: destinationsIn(offered),
      servers: servers.filter(isServer),
      listening: servers.filter(({ intercept }) => intercept === 'listen-in'),
    };
  }
}

/** What a member offers to clients of a port, where there is a server. */
interface MemberPort {
  known: Member;
  offered: OfferedPort;
}

function destinationsIn(ports: readonly MemberPort[]): Destination[] {
  const byRouter = new Map<RouterId, Destination>();
  for (const { known, offered } of ports) {
    const { place, router, cost } = known;
    // A connection is no request: nobody knows what will be asked on it.
    if (offered.rule || !isServer(offered)) continue;
    const destination = byRouter.get(router.id) ?? { key: router.id, cost, targets: 0, place, site: router.site.name };
    destination.targets += offered.targets.length;
    if (offered.intercept) destination.intercept = offered.intercept;
    byRouter.set(router.id, destination);
  }
  return [...byRouter.values()];
}

function serversIn(address: string, { known, offered }: MemberPort): RequestServer[] {
  const { place, router, cost } = known;
  const { targets, rule, weight, intercept } = offered;
  return targets.map((target) => ({
    key: `${address}\n${router.id}\n${target}`,
    group: `${router.id} ${JSON.stringify(rule)} ${weight}`,
    cost,
    targets: 1,
    rule,
    weight,
    intercept,
    place,
    target,
    site: router.site.name,
  }));
}
