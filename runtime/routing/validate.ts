import {
  MAX_COST,
  MAX_NAME_LENGTH,
  MAX_NAMED_TARGETS,
  MAX_NEIGHBORS,
  MAX_OFFERS_PER_ROUTER,
  MAX_PORTS_PER_OFFER,
  MAX_ROUTERS,
} from './limits.ts';
import type { RoutingMessage } from './types.ts';

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
        whyInvalidList(message['drop'], MAX_OFFERS_PER_ROUTER, isName, 'addresses')
      );
    case 'digest':
      return whyInvalidList(message['entries'], MAX_ROUTERS, isDigestEntry, 'entries');
    case 'offers-request':
      return whyInvalidList(message['origins'], MAX_ROUTERS, isName, 'routers');
    default:
      return `the kind ${JSON.stringify(message['kind'])?.slice(0, 40)} of a routing message is not known`;
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
  if (!isRecord(router) || router['id'] !== origin) return 'a topology advertisement does not describe its origin';
  const site = router['site'];
  if (!isRecord(site) || !isName(site['id']) || !isName(site['name'])) return 'a topology advertisement names no site';
  if (!isName(router['version'])) return 'a topology advertisement has no version';
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

const PROTOCOLS = new Set(['tcp', 'udp', 'http', 'http2', 'amqp']);
const DISTRIBUTIONS = new Set(['balanced', 'closest', 'multicast']);

function isOffer(offer: unknown): boolean {
  if (!isRecord(offer) || !isName(offer['address'])) return false;
  if (!PROTOCOLS.has(offer['type'] as string) || !DISTRIBUTIONS.has(offer['distribution'] as string)) return false;
  const ports = offer['ports'];
  return Array.isArray(ports) && ports.length > 0 && ports.length <= MAX_PORTS_PER_OFFER && ports.every(isOfferedPort);
}

function isOfferedPort(port: unknown): boolean {
  if (!isRecord(port) || !isCount(port['port']) || (port['port'] as number) > 65_535) return false;
  if (port['exact'] !== undefined && port['exact'] !== true) return false;
  const targets = port['targets'];
  return Array.isArray(targets) && targets.length <= MAX_NAMED_TARGETS && targets.every(isName);
}

function isDigestEntry(entry: unknown): boolean {
  return isRecord(entry) && isName(entry['origin']) && ['instance', 'topology', 'offers'].every((key) => isCount(entry[key]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCost(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COST;
}
