import { isLaptop } from '../sites/site-ref.ts';
import type { Network } from './networks.ts';
import { counted } from '../../runtime/words.ts';
import { joined } from './row.ts';
import type { Snapshot } from './snapshot.ts';

/** What does not work, one sentence each: the badge counts them, its tooltip lists them. */
export function problemsOf({ sites }: Snapshot): string[] {
  return sites.flatMap(({ status, state }) => {
    if (!status || state !== 'live') return [];
    const links = status.links.filter((link) => link.state !== 'up' && (link.state === 'failed' || link.message));
    const listeners = status.listeners.filter((listener) => listener.state === 'failed');
    return [
      ...status.problems.map(({ where, message }) => `${where}: ${message}`),
      ...links.map(({ peer, endpoint, message }) => `Link to ${peer ?? endpoint ?? 'a site'}: ${message ?? 'failed'}`),
      ...listeners.map(({ address, port, message }) => `${address} on port ${port}: ${message ?? 'failed'}`),
    ];
  });
}

/** The status bar: `$(globe) shop · 3 sites · 12 services`; undefined where there is no network to tell of. */
export function statusBarText(
  [network]: readonly Network[],
  problems: readonly string[],
): { text: string; label: string } | undefined {
  if (!network) return undefined;
  // What is open to others is never out of sight.
  const exposed = network.views.find(({ ref }) => isLaptop(ref))?.status?.connectors.length ?? 0;
  const parts = [
    network.name,
    counted(network.sites.length, 'site'),
    counted(network.services.length, 'service'),
    exposed > 0 && `${counted(exposed, 'port')} exposed`,
  ];
  const trouble = problems.length > 0 && counted(problems.length, 'problem');
  return {
    text: `$(globe) ${joined(' · ', [...parts, trouble && `$(warning) ${trouble}`])}`,
    label: `Caravan: network ${joined(', ', [...parts, trouble])}`,
  };
}
