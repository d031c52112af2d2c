/** The status as tables for people. Every function gives whole lines. */
import type { LinkStatus, ServiceStatus, SiteStatus, Status } from '../api/types.ts';
import { TELL_BEFORE_MS } from '../site/renewal.ts';
import { table } from './table.ts';
import { ago, counted, duration, endsWhen, milliseconds, reachedAt, standsIn, tally } from '../words.ts';

export function servicesTable(status: Status): string {
  if (status.services.length === 0)
    return 'No service is offered in this network yet. Offer one: caravan expose ADDRESS --port PORT\n';
  const rows = status.services.map((service) => [
    service.address,
    service.type,
    service.ports.join(','),
    service.distribution,
    offeredBy(service),
    here(status, service),
  ]);
  const stand = status.services.flatMap((service) =>
    (service.intercepts ?? []).map((by) => `◐ ${service.address}: ${standsIn(by.site, by)}\n`),
  );
  const warnings = status.services.flatMap(({ warning }) => (warning ? [`! ${warning}\n`] : []));
  return table(['ADDRESS', 'TYPE', 'PORT', 'DISTRIBUTION', 'OFFERED BY', 'HERE'], rows) + [...stand, ...warnings].join('');
}

/** `west ×3, east ×2`; sites in the order in which the router names them. */
export function offeredBy({ destinations }: ServiceStatus): string {
  return destinations.length === 0 ? 'nobody' : tally(destinations.map(({ site }) => site));
}

/** Where a client on this computer connects: `127.0.0.1:8080`. */
function here({ listeners }: Status, { address }: ServiceStatus): string {
  const ends = listeners.filter((listener) => listener.address === address);
  return ends.map((end) => (end.state === 'open' ? reachedAt(end) : `${reachedAt(end)} ${end.state}`)).join(', ');
}

export function linksTable({ links }: Status, now: Date): string {
  if (links.length === 0)
    return 'This site has no links yet. Get a token from another site and use it: caravan token redeem FILE\n';
  const rows = links.map((link) => [
    link.id,
    link.peer ?? '',
    String(link.cost),
    link.standby ? 'standby' : link.state,
    link.direction,
    milliseconds(link.rttMs),
    ago(link.since, now),
  ]);
  const messages = links.flatMap((link) => [
    ...(link.proxy === undefined ? [] : [`${link.id} goes through the proxy ${link.proxy}\n`]),
    ...(link.message && link.state !== 'up' ? [`! ${complaint(link, now)}\n`] : []),
    ...(endsSoon(link, now) ? [`! ${link.id}: its certificate ${endsWhen(link.certificateEnds!, now)}${renewer(link)}\n`] : []),
  ]);
  return table(['LINK', 'PEER', 'COST', 'STATE', 'DIRECTION', 'ROUND TRIP', 'SINCE'], rows) + messages.join('');
}

function complaint({ id, message, messageTime }: LinkStatus, now: Date): string {
  return `${id}: ${message}${messageTime ? ` (${ago(messageTime, now)})` : ''}`;
}

/** Whether the certificate of a link that carries traffic was not renewed when it was time. */
function endsSoon({ state, certificateEnds }: LinkStatus, now: Date): boolean {
  return state === 'up' && certificateEnds !== undefined && Date.parse(certificateEnds) - now.getTime() <= TELL_BEFORE_MS;
}

function renewer({ direction, peer }: LinkStatus): string {
  if (direction === 'incoming') return `, and ${peer} has not renewed it; see there: caravan status`;
  return ', and could not be renewed; see why: caravan status';
}

export function sitesTable({ sites, site }: Status): string {
  const where = (one: SiteStatus) => (one.namespace ? `${one.platform}, namespace ${one.namespace}` : one.platform);
  const rows = sites.map((one) => [
    one.id === site.id ? `${one.name} (this one)` : one.name,
    one.reachable ? 'reachable' : 'not reachable',
    one.version,
    where(one),
    one.neighbors.map(({ site: name, cost }) => (cost === 1 ? name : `${name} (cost ${cost})`)).join(', '),
  ]);
  return table(['SITE', 'STATE', 'VERSION', 'WHERE', 'LINKED WITH'], rows);
}

export function connectorsTable({ connectors }: Status): string {
  const rows = connectors.map(({ name, address, type, port, state, targets, message }) => [
    name,
    address,
    type,
    String(port),
    state,
    message ?? targets.join(', '),
  ]);
  return table(['CONNECTOR', 'ADDRESS', 'TYPE', 'PORT', 'STATE', 'SERVERS'], rows);
}

export function listenersTable({ listeners }: Status): string {
  const rows = listeners.map(({ name, address, type, host, port, state, message }) => [
    name,
    address || 'every one',
    type,
    reachedAt({ host, port }),
    state,
    message ?? (state === 'closed' ? 'nobody offers it' : ''),
  ]);
  return table(['LISTENER', 'ADDRESS', 'TYPE', 'HERE', 'STATE', ''], rows);
}

export function headline({ site, router, sites, links, services, access, proxy }: Status, now: Date): string {
  const up = links.filter(({ state }) => state === 'up').length;
  const counts = [
    counted(sites.length, 'site'),
    `${up} of ${counted(links.length, 'link')} up`,
    counted(services.length, 'service'),
  ];
  const ways = access.map(reachedAt);
  const way = ways.length > 0 ? ` Other sites reach it at ${ways.join(' and ')}.` : '';
  const through = proxy ? ` Its proxy is at ${reachedAt(proxy)}.` : '';
  const time = duration(now.getTime() - Date.parse(router.startTime));
  return `${site.name} has run for ${time} (version ${site.version}): ${counts.join(', ')}.${way}${through}\n`;
}

export function problemLines({ problems }: Status): string {
  return problems.map(({ where, message }) => `! ${where}: ${message}\n`).join('');
}
