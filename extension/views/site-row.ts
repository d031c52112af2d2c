import type { ConnectorStatus, LinkStatus, ListenerStatus, Status } from '../../runtime/api/types.ts';
import { isDemo, isLaptop, siteKey, siteLabel, type SiteRef } from '../sites/site-ref.ts';
import type { SiteView } from '../sites/watched-site.ts';
import type { siteNames } from './networks.ts';
import { bytes, counted, milliseconds, perSecond, reachedAt, standsIn } from '../../runtime/words.ts';
import { calmAgo, BAD, GOOD, type Icon, joined, OFF, type Row, SHARED } from './row.ts';

export interface RowContext {
  nameOf: ReturnType<typeof siteNames>;
  /** This extension's. */
  version: string;
  now: Date;
}

/** What a site's row has in every tree; its place adds what it knows besides. */
export function siteRow({ ref, status, state, message }: SiteView, context: RowContext): Row {
  const id = `site:${siteKey(ref)}`;
  const live = state === 'live' && status !== undefined;
  const problems = live ? problemRows(id, status) : [];
  const lost = state === 'lost' ? [problemRow(`${id}:lost`, message ?? 'Its router does not answer.', { site: ref })] : [];
  const failed = [...(status?.links ?? []), ...(status?.listeners ?? [])].some((part) => part.state === 'failed');
  const broken = live && (problems.length > 0 || failed);
  return {
    id,
    label: isLaptop(ref) || ref.where === 'cluster' ? lastPart(ref) : siteLabel(ref),
    description: live
      ? summary(status, ref.where === 'cluster' ? context.version : status.site.version)
      : { connecting: 'connecting…', lost: 'no connection', live: '' }[state],
    tooltip: live ? details(ref, status) : joined('\n', [siteLabel(ref), message]),
    icon: siteIcon(state, broken),
    flags: joined('.', ['site', kindOf(ref), live ? 'live' : state]),
    target: { site: ref, ...(ref.where === 'cluster' ? { context: ref.context, namespace: ref.namespace } : {}) },
    children: live
      ? [...problems, ...linkRows(id, ref, status, context), ...offers(id, ref, status), ...takes(id, ref, status)]
      : lost,
  };
}

function lastPart(ref: SiteRef): string {
  return ref.where === 'cluster' ? ref.namespace : siteLabel(ref);
}

function siteIcon(state: SiteView['state'], broken: boolean): Icon {
  if (state === 'live') return broken ? BAD : GOOD;
  return state === 'lost' ? BAD : OFF;
}

function kindOf(ref: SiteRef): string {
  if (ref.where === 'cluster') return 'cluster';
  if (isLaptop(ref)) return 'laptop';
  return isDemo(ref) ? 'demo' : 'host';
}

function summary({ links, site }: Status, here: string): string {
  const linked = links.length === 0 ? 'no links' : counted(links.length, 'link');
  return joined(' · ', ['ready', linked, versionWords(site.version, here)]);
}

/** `v0.1.0`; with what upgrading makes of it, where that is another one: `v0.1.0, v0.2.0 is here`. */
export function versionWords(version: string, here: string): string {
  return version === here ? `v${version}` : `v${version}, v${here} is here`;
}

function details(ref: SiteRef, { site, router, access, proxy, sites }: Status): string {
  const ways = access.map((each) => `${each.way} ${reachedAt(each)}`);
  return joined('\n', [
    joined(' ', [siteLabel(ref), site.name !== siteLabel(ref) && `(site ${site.name})`]),
    `Version ${site.version}, router up since ${new Date(router.startTime).toLocaleString()}`,
    `Knows ${counted(sites.length, 'site')} of the network`,
    ways.length > 0 ? `Links come in at ${ways.join(', ')}` : 'No links come in: it only dials out',
    proxy && `Its proxy is at ${reachedAt(proxy)}`,
    site.certificateEnds && `Its certificate is good until ${day(site.certificateEnds)}, and renewed before`,
    `Id ${site.id}`,
  ]);
}

function linkRows(id: string, ref: SiteRef, { links }: Status, { nameOf, now }: RowContext): Row[] {
  return links.map((link) => {
    const up = link.state === 'up';
    const peer = nameOf({ id: link.peerId, name: link.peer ?? link.endpoint });
    const said = link.message ?? (up ? '' : 'The other side has not answered yet.');
    return {
      id: `${id}:link:${link.direction}:${link.id}`,
      label: peer,
      description: joined(' · ', [
        `cost ${link.cost}`,
        up && link.bytesPerSecond !== undefined && `${bytes(link.bytesPerSecond)}/s`,
        up ? milliseconds(link.rttMs) : link.state,
        link.standby && 'standby',
        !up && said,
      ]),
      tooltip: joined('\n', [
        `${link.direction === 'outgoing' ? 'To' : 'From'} ${peer}: ${link.state} since ${new Date(link.since).toLocaleString()}`,
        link.endpoint && joined(' ', [`Dials ${link.endpoint}`, link.proxy && `through the proxy ${link.proxy}`]),
        up && traffic(link),
        link.standby && 'Takes over when the link in use is lost.',
        link.certificateEnds && `Its certificate is good until ${day(link.certificateEnds)}`,
        said && joined(' ', [said, link.messageTime && `(${calmAgo(link.messageTime, now)})`]),
      ]),
      icon: up ? ['arrow-swap', 'good'] : BAD,
      flags: joined('.', ['link', link.direction, link.state]),
      target: { site: ref, resource: { kind: 'Link', name: link.id } },
    };
  });
}

function day(time: string): string {
  return new Date(time).toLocaleDateString();
}

function traffic({ bytesIn = 0, bytesOut = 0, streams = 0 }: LinkStatus): string {
  return `${counted(streams, 'open stream')}, ${bytes(bytesIn)} in, ${bytes(bytesOut)} out`;
}

function offers(id: string, ref: SiteRef, { connectors }: Status): Row[] {
  if (connectors.length === 0) return [];
  return [
    group(
      `${id}:offers`,
      'offers',
      'arrow-up',
      connectors.map((connector) => connectorRow(id, ref, connector)),
    ),
  ];
}

function connectorRow(id: string, ref: SiteRef, connector: ConnectorStatus): Row {
  const { name, address, type, targets, state, message, source, port, intercept } = connector;
  const ready = state === 'ready';
  const behind = targets.length > 2 ? `${targets.slice(0, 2).join(', ')} and ${targets.length - 2} more` : targets.join(', ');
  return {
    id: `${id}:connector:${name}`,
    label: address,
    description: joined('  ', [
      type,
      port,
      intercept && standsIn(siteLabel(ref), intercept),
      ready ? behind : (message ?? state),
    ]),
    tooltip: joined('\n', [`${address} ${type} ${port}: ${state}`, targets.join(', '), message, `From ${source}`]),
    icon: ready ? (intercept ? SHARED : GOOD) : BAD,
    flags: joined('.', ['connector', kindOf(ref), state]),
    target: { site: ref, address, resource: { kind: 'Connector', name } },
  };
}

function takes(id: string, ref: SiteRef, { listeners, services, connectors }: Status): Row[] {
  if (listeners.length === 0) return [];
  const own = new Set(connectors.map(({ address }) => address));
  const taken = new Set(listeners.map(({ address }) => address));
  const others = services.filter(({ address }) => !own.has(address));
  const all = others.length > 0 && others.every(({ address }) => taken.has(address));
  const row = group(
    `${id}:takes`,
    'takes',
    'arrow-down',
    listeners.map((listener) => listenerRow(id, ref, listener)),
  );
  return [all ? { ...row, description: `all: ${row.description}` } : row];
}

function listenerRow(id: string, ref: SiteRef, listener: ListenerStatus): Row {
  const { name, address, type, state, message, source } = listener;
  const said = { open: '', closed: 'nothing offers it now', failed: message ?? 'cannot be listened on' }[state];
  return {
    id: `${id}:listener:${name}`,
    label: address || 'every address',
    // A sentence about a port names it, and a narrow view would cut what stands behind it.
    description: state === 'failed' ? said : joined('  ', [type, reachedAt(listener), perSecond(listener.perSecond, type), said]),
    tooltip: joined('\n', [`${address} ${type} at ${reachedAt(listener)}: ${state}`, message, `From ${source}`]),
    icon: { open: GOOD, closed: OFF, failed: BAD }[state],
    // One for every address has none that could be explained.
    flags: joined('.', ['listener', !address && 'every', state]),
    target: { site: ref, address },
  };
}

function group(id: string, label: string, codicon: string, children: Row[]): Row {
  const bad = children.some(({ icon }) => icon === BAD);
  const names = [...new Set(children.map((child) => child.label))].join(', ');
  return { id, label, description: names, icon: bad ? BAD : [codicon], flags: label, children };
}

function problemRows(id: string, { problems }: Status): Row[] {
  return problems.map(({ where, message }) => problemRow(`${id}:problem:${where}:${message}`, `${where}: ${message}`, {}));
}

export function problemRow(id: string, message: string, target: Row['target'] & object, flags = 'problem'): Row {
  return { id, label: message, tooltip: message, icon: BAD, flags, target };
}
