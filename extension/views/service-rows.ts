import { siteNames, type Network, type Service } from './networks.ts';
import { counted, perSecond, standsIn, tally } from '../../runtime/words.ts';
import { isLaptop } from '../sites/site-ref.ts';
import { calmAgo, BAD, GOOD, joined, type Row, SHARED } from './row.ts';
import type { Snapshot } from './snapshot.ts';

/** The rows of *Services*: one a service; under its network where there are several. */
export function serviceRows(snapshot: Snapshot, networks: readonly Network[]): Row[] {
  const shown = networks.filter(({ services }) => services.length > 0);
  const rows = (network: Network) => network.services.map((service) => serviceRow(service, network, snapshot));
  if (shown.length === 1) return rows(shown[0]!);
  return shown.map((network) => ({
    id: `network:${network.id}`,
    label: network.name,
    description: joined(' · ', [counted(network.sites.length, 'site'), counted(network.services.length, 'service')]),
    icon: ['globe'],
    flags: 'network',
    open: true,
    children: rows(network),
  }));
}

function serviceRow(service: Service, network: Network, { sites, now }: Snapshot): Row {
  const { address, type, ports, local, connection, url, intercepts = [] } = service;
  const problem = problemOf(service, now);
  const nameOf = siteNames(sites);
  const offered = offeredAt(service, nameOf);
  const here = network.views.find(({ ref }) => isLaptop(ref))?.status?.site.id;
  const stands = intercepts.map((by) => standsIn(nameOf({ id: by.siteId, name: by.site }), by));
  const own = intercepts.some(({ siteId }) => siteId === here);
  // What is out of the ordinary comes first: a narrow view cuts what stands behind it.
  const where = joined(', ', [...stands, offered || nowhere(service, now)]);
  return {
    id: `service:${network.id}:${address}`,
    label: address,
    description: joined('  ', [type, ports.join(', '), where, local && `→ ${local}`]),
    tooltip: joined('\n', [
      joined(' ', [address, type, ports.join(', ')]),
      perSecond(service.perSecond, type),
      offered ? `Offered by ${offered}` : '',
      ...service.destinations.slice(0, 20).map(({ site, target }) => `  ${target} in ${site}`),
      service.destinations.length > 20 && `  and ${service.destinations.length - 20} more`,
      ...stands,
      `Distribution: ${service.distribution}`,
      service.listenerCredentials
        ? `Clients in clusters speak TLS, with the certificate of the Secret ${service.listenerCredentials} of their namespace`
        : '',
      local ? `On this computer: ${local}` : '',
      problem,
    ]),
    icon: problem ? BAD : stands.length > 0 ? SHARED : GOOD,
    flags: joined('.', [
      'service',
      local && 'local',
      (local || service.failed) && 'movable',
      url && 'browsable',
      here !== undefined && (own ? 'intercepted' : 'interceptable'),
      problem && 'problem',
    ]),
    command: 'caravan.explain',
    target: {
      address,
      site: network.views[0]!.ref,
      ...(local ? { local } : {}),
      ...(connection ? { connection } : {}),
      ...(url ? { url } : {}),
    },
  };
}

/** One sentence, where something is wrong with it. */
function problemOf(service: Service, now: Date): string | undefined {
  if (service.warning) return service.warning;
  if (service.failed) return service.failed.message ?? `Port ${service.failed.port} of this computer cannot be listened on.`;
  if (service.destinations.length === 0) return `${service.address} is ${nowhere(service, now)}: nothing behind it is ready.`;
  return undefined;
}

function nowhere({ lastOffered }: Service, now: Date): string {
  return lastOffered ? `offered nowhere, last ${calmAgo(lastOffered, now)}` : 'offered nowhere';
}

/** `west/shop ×3, this laptop` */
export function offeredAt({ destinations }: Service, nameOf: ReturnType<typeof siteNames>): string {
  return tally(destinations.map(({ siteId, site }) => nameOf({ id: siteId, name: site })));
}
