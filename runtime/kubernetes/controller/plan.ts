/** From the namespace and the network to the site's wished state and the Services to write. Pure but for its memory. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { ServiceStatus } from '../../api/types.ts';
import type { WishedState } from '../../site/source.ts';
import { offersOf, resolveSelectors } from './connectors.ts';
import { linksAccess } from './links-access.ts';
import { type ProxyMemory, type ProxyPlan, planProxies } from './proxies.ts';
import type { ResourceMaps } from './resource-maps.ts';
import type { Snapshot } from './snapshot.ts';

export interface PlanInput extends Snapshot {
  configMaps: readonly V1ConfigMap[];
  network: readonly ServiceStatus[];
  hostIp: string | undefined;
  now: number;
}

export interface Plan {
  state: WishedState;
  proxies: Pick<ProxyPlan, 'create' | 'update' | 'remove'>;
  recheckAt: number | undefined;
}

export function makePlan(input: PlanInput, memory: ProxyMemory, maps: ResourceMaps): Plan {
  const { services, pods, network, hostIp, now } = input;
  const offers = offersOf(input);
  const written = maps.read(input.configMaps);
  const resolved = resolveSelectors(written.resources, pods, offers);
  const proxies = planProxies({ network, services, offeredBy: offers.offeredBy, now }, memory);
  const links = linksAccess(services, hostIp, now);
  const times = [proxies.recheckAt, links.recheckAt].filter((time) => time !== undefined);
  return {
    state: {
      resources: [...resolved, ...offers.connectors, ...proxies.listeners],
      problems: [...written.problems, ...offers.problems, ...proxies.problems, ...links.problems],
      access: links.access,
    },
    proxies,
    recheckAt: times.length > 0 ? Math.min(...times) : undefined,
  };
}
