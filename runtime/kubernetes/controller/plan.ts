/** From the namespace and the network to the site's wished state and the Services to write. Pure but for its memory. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { ServiceStatus } from '../../api/types.ts';
import type { WishedState } from '../../site/source.ts';
import { offersOf, resolveSelectors } from './connectors.ts';
import { asWritten } from './diverted-service.ts';
import { type DivertMemory, newDivertMemory, noteDiverted, planDiversions } from './diverted-services.ts';
import { handOver } from './handed-over.ts';
import { linksAccess } from './links-access.ts';
import { newMemory, type ProxyMemory, planProxies } from './proxies.ts';
import type { ResourceMaps } from './resource-maps.ts';
import type { Snapshot } from './snapshot.ts';
import type { Writes } from './writes.ts';

export interface PlanInput extends Snapshot {
  configMaps: readonly V1ConfigMap[];
  network: readonly ServiceStatus[];
  hostIp: string | undefined;
  /** Where listeners behind Services listen. */
  listenHost: string;
  /** Whether a Secret of the namespace has a certificate and its key; of those that plans name. */
  hasCertificate: (secret: string) => boolean;
  now: number;
}

/** What outlives a single plan. */
export interface PlanMemory {
  proxies: ProxyMemory;
  diverted: DivertMemory;
}

export interface Plan {
  state: WishedState;
  /** Secrets to look at, beside those that resources name. */
  secrets: string[];
  writes: Writes;
  recheckAt: number | undefined;
}

export function newPlanMemory(now: number): PlanMemory {
  return { proxies: newMemory(now), diverted: newDivertMemory(now) };
}

export function makePlan(input: PlanInput, memory: PlanMemory, maps: ResourceMaps): Plan {
  const { pods, network, hostIp, listenHost: host, hasCertificate, now } = input;
  const ports = memory.proxies.listenerPorts;
  const live = handOver(input.services, ports);
  const services = live.services.map(asWritten);
  const offers = offersOf({ ...input, services });
  const written = maps.read(input.configMaps);
  const resolved = resolveSelectors(written.resources, pods, offers);
  noteDiverted(live.services, ports);
  const proxies = planProxies({ network, services, offeredBy: offers.offeredBy, host, now }, memory.proxies);
  const diverted = planDiversions(
    { ...offers, network, services: live.services, hasCertificate, host, ports, now },
    memory.diverted,
  );
  const links = linksAccess({ services, pods, hostIp, now });
  const times = [proxies.recheckAt, diverted.recheckAt, links.recheckAt].filter((time) => time !== undefined);
  return {
    state: {
      resources: [...resolved, ...offers.connectors, ...proxies.listeners, ...diverted.listeners],
      problems: [...written.problems, ...offers.problems, ...proxies.problems, ...diverted.problems, ...links.problems],
      access: links.access,
    },
    // Should somebody stand in for servers that speak TLS, their Service needs a certificate at once.
    secrets: offers.exposed.flatMap(({ tls, listenerCredentials }) => (tls && listenerCredentials) ?? []),
    writes: {
      create: proxies.create,
      patches: [...live.patches, ...diverted.patches, ...proxies.patches],
      remove: proxies.remove,
    },
    recheckAt: times.length > 0 ? Math.min(...times) : undefined,
  };
}
