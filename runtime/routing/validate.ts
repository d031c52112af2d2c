import {
  MAX_COST,
  MAX_NAME_LENGTH,
  MAX_NAMED_TARGETS,
  MAX_NEIGHBORS,
  MAX_OFFERS_PER_ROUTER,
  MAX_PORTS_PER_OFFER,
  MAX_ROUTERS,
  MAX_WEIGHT,
} from './limits.ts';
import type { RequestRule } from './request-rule.ts';
import type { Offer, OfferedPort, RouterInfo, RoutingMessage } from './types.ts';

/** Says what is wrong with a message from a neighbour, or undefined where it may be used as a `RoutingMessage`. */
export function whyInvalid(message: unknown): string | undefined {
  if (!isRecord(message)) return 'a routing message is not an object';
  switch (message['kind'] as RoutingMessage['kind']) {
    case 'topology':
      return whyInvalidVersion(message) ?? whyInvalidTopology(message);
    case 'offers':
      return whyInvalidVersion(message) ?? whyInvalidOffers(message['offers']);
    case 'offers-delta':
      return (
        whyInvalidVersion(message) ??
        whyInvalidOffers(message['put']) ??
        whyInvalidList(message['drop'], MAX_OFFERS_PER_ROUTER, isOfferKey, 'addresses')
      );
    case 'digest':
      return whyInvalidList(message['entries'], MAX_ROUTERS, isDigestEntry, 'entries');
    case 'offers-request':
      return whyInvalidList(message['origins'], MAX_ROUTERS, isName, 'routers');
    case 'attach':
      return undefined;
    case 'reach':
      if (!isCount(message['seq'])) return 'a routing message has no valid sequence number';
      return (
        whyInvalidList(message['put'], MAX_ROUTERS, isReachable, 'routers') ??
        whyInvalidList(message['drop'], MAX_ROUTERS, isName, 'routers')
      );
    default:
      // A later version may have more to say than this one knows.
      return isWord(message['kind']) ? undefined : 'a routing message does not say what it is';
  }
}

function whyInvalidVersion(message: Record<string, unknown>): string | undefined {
  if (!isName(message['origin'])) return 'an advertisement has no valid origin';
  if (!isCount(message['instance']) || !isCount(message['seq']))
    return 'an advertisement has no valid instance and sequence number';
  return undefined;
}

function whyInvalidTopology({ origin, router, neighbors, leaving }: Record<string, unknown>): string | undefined {
  if (leaving !== undefined && leaving !== true)
    return 'a topology advertisement says neither that its router leaves nor that it stays';
  if (!isRouter(router) || router['id'] !== origin) return 'a topology advertisement does not describe its origin';
  return whyInvalidList(
    neighbors,
    MAX_NEIGHBORS,
    (neighbor) => isRecord(neighbor) && isName(neighbor['id']) && isCost(neighbor['cost']),
    'neighbours',
  );
}

function whyInvalidOffers(offers: unknown): string | undefined {
  return whyInvalidList(offers, MAX_OFFERS_PER_ROUTER, isOffer, 'offers');
}

function whyInvalidList(list: unknown, limit: number, isValid: (item: unknown) => boolean, name: string): string | undefined {
  if (!Array.isArray(list)) return `a routing message has no list of ${name}`;
  if (list.length > limit) return `a routing message has more than ${limit} ${name}`;
  return list.every(isValid) ? undefined : `a routing message has invalid ${name}`;
}

/** A protocol or distribution that a later version knows must not cut a network in two: it is passed on. */
const WORD = /^[a-z][a-z0-9-]{0,31}$/;

function isRouter(router: unknown): router is Record<string, unknown> {
  if (!isRecord(router) || !isName(router['id']) || !isName(router['version']) || !isWord(router['platform'])) return false;
  const { site, namespace, role } = router;
  if (!isRecord(site) || !isName(site['id']) || !isName(site['name'])) return false;
  return (namespace === undefined || isName(namespace)) && (role === undefined || isWord(role));
}

function isReachable(entry: unknown): boolean {
  return isRecord(entry) && isRouter(entry['router']) && isPathCost(entry['cost']);
}

/** Whether neighbours take an address: one that gets another cuts the link. */
export function isAddress(value: unknown): value is string {
  return isName(value) && !value.includes(' ');
}

export function isOffer(offer: unknown): boolean {
  if (!isRecord(offer) || !isAddress(offer['address'])) return false;
  const { edge, aggregate, listenerCredentials } = offer;
  if (aggregate !== undefined && !isWord(aggregate)) return false;
  if (listenerCredentials !== undefined && !isResourceName(listenerCredentials)) return false;
  if (edge !== undefined && !(isRecord(edge) && isRouter(edge['router']) && isCost(edge['cost']))) return false;
  if (!isWord(offer['type']) || !isWord(offer['distribution'])) return false;
  const ports = offer['ports'];
  return Array.isArray(ports) && ports.length > 0 && ports.length <= MAX_PORTS_PER_OFFER && ports.every(isOfferedPort);
}

function isOfferedPort(port: unknown): boolean {
  if (!isRecord(port) || !isCount(port['port']) || (port['port'] as number) > 65_535) return false;
  if (port['exact'] !== undefined && port['exact'] !== true) return false;
  if (port['rule'] !== undefined && !isRule(port['rule'])) return false;
  if (port['weight'] !== undefined && !isWeight(port['weight'])) return false;
  if (port['intercept'] !== undefined && !isWord(port['intercept'])) return false;
  const targets = port['targets'];
  return Array.isArray(targets) && targets.length <= MAX_NAMED_TARGETS && targets.every(isName);
}

function isRule(rule: unknown): boolean {
  if (!isRecord(rule)) return false;
  const { header, path } = rule;
  if (header !== undefined && !(isRecord(header) && isName(header['name']) && isName(header['value']))) return false;
  return path === undefined || isName(path);
}

function isWeight(weight: unknown): boolean {
  return isCount(weight) && (weight as number) >= 1 && (weight as number) <= MAX_WEIGHT;
}

function isDigestEntry(entry: unknown): boolean {
  return isRecord(entry) && isName(entry['origin']) && ['instance', 'topology', 'offers'].every((key) => isCount(entry[key]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && WORD.test(value);
}

/** Sites look for a resource of this name: it must lead to no other path. */
function isResourceName(value: unknown): boolean {
  return isName(value) && /^[a-z0-9][-a-z0-9.]*$/.test(value);
}

function isName(value: unknown): value is string {
  return isText(value, MAX_NAME_LENGTH);
}

/** An address, perhaps with an edge: see `offerKey`. */
function isOfferKey(value: unknown): boolean {
  return isText(value, 2 * MAX_NAME_LENGTH + 1);
}

/** Without control characters: names end up in terminals. */
function isText(value: unknown, mostLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= mostLength && !/\p{Cc}/u.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCost(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COST;
}

/** Of a path: a sum of links' costs, and 0 to the router itself. */
function isPathCost(cost: unknown): boolean {
  return isCount(cost) && (cost as number) <= MAX_COST * MAX_ROUTERS;
}

/** A router as a neighbour describes it, with the fields that are known; undefined where that cannot be one. */
export function asRouter(value: unknown): RouterInfo | undefined {
  return isRouter(value) ? knownRouter(value as unknown as RouterInfo) : undefined;
}

/** A valid message with the fields that are known, and no others: what a neighbour adds to it travels no further. */
export function withKnownFields(message: RoutingMessage): RoutingMessage {
  switch (message.kind) {
    case 'topology': {
      const { origin, instance, seq, router, neighbors, leaving } = message;
      return {
        kind: 'topology',
        origin,
        instance,
        seq,
        router: knownRouter(router),
        neighbors: neighbors.map(({ id: neighbor, cost }) => ({ id: neighbor, cost })),
        ...(leaving && { leaving }),
      };
    }
    case 'offers':
      return {
        kind: 'offers',
        origin: message.origin,
        instance: message.instance,
        seq: message.seq,
        offers: message.offers.map(knownOffer),
      };
    case 'offers-delta': {
      const { origin, instance, seq, put, drop } = message;
      return { kind: 'offers-delta', origin, instance, seq, put: put.map(knownOffer), drop };
    }
    case 'reach': {
      const { seq, whole, put, drop } = message;
      const known = put.map(({ router, cost }) => ({ router: knownRouter(router), cost }));
      return { kind: 'reach', seq, ...(whole && { whole: true as const }), put: known, drop };
    }
    default:
      return message;
  }
}

function knownRouter({ id, site, version, platform, namespace, role }: RouterInfo): RouterInfo {
  return {
    id,
    site: { id: site.id, name: site.name },
    version,
    platform,
    ...(namespace !== undefined && { namespace }),
    ...(role === 'edge' && { role }),
  };
}

function knownOffer({ address, type, distribution, aggregate, listenerCredentials, edge, ports }: Offer): Offer {
  return {
    address,
    type,
    distribution,
    ...(aggregate && { aggregate }),
    ...(listenerCredentials && { listenerCredentials }),
    ...(edge && { edge: { router: knownRouter(edge.router), cost: edge.cost, ...(edge.lost && { lost: true as const }) } }),
    ports: ports.map(knownPort),
  };
}

function knownPort({ port, targets, exact, rule, weight, intercept }: OfferedPort): OfferedPort {
  return {
    port,
    targets,
    ...(exact && { exact }),
    ...(rule && { rule: knownRule(rule) }),
    ...(weight !== undefined && { weight }),
    ...(intercept && { intercept }),
  };
}

function knownRule({ header, path }: RequestRule): RequestRule {
  return { ...(header && { header: { name: header.name, value: header.value } }), ...(path !== undefined && { path }) };
}
