/** Where other sites reach this one: what the cluster made of the Service `caravan-links`. Pure. */
import type { V1Service } from '@kubernetes/client-node';
import type { AccessStatus, Problem } from '../../api/types.ts';
import { LINKS_SERVICE } from '../names.ts';
import { nameOf } from '../objects.ts';
import { LINKS_PORT } from '../ports.ts';

/** A load balancer that has no address after this long most likely gets none. Milliseconds. */
export const LOAD_BALANCER_PATIENCE_MS = 60_000;

export interface LinksAccess {
  access: AccessStatus[];
  problems: Problem[];
  recheckAt: number | undefined;
}

/** `hostIp`: the address of the node that this pod runs on; other nodes' NodePorts lead here too. */
export function linksAccess(services: readonly V1Service[], hostIp: string | undefined, now: number): LinksAccess {
  const service = services.find((each) => nameOf(each) === LINKS_SERVICE);
  const port = service?.spec?.ports?.[0];
  if (service?.spec?.type === 'NodePort') {
    const access = port?.nodePort && hostIp ? [{ host: hostIp, port: port.nodePort, way: 'NodePort' }] : [];
    return { access, problems: [], recheckAt: undefined };
  }
  if (service?.spec?.type !== 'LoadBalancer') return { access: [], problems: [], recheckAt: undefined };
  const hosts = (service.status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => ip ?? hostname)
    .filter((host) => host !== undefined);
  const access = hosts.map((host) => ({ host, port: port?.port ?? LINKS_PORT, way: 'LoadBalancer' }));
  const patientUntil = Date.parse(String(service.metadata?.creationTimestamp ?? now)) + LOAD_BALANCER_PATIENCE_MS;
  if (access.length > 0) return { access, problems: [], recheckAt: undefined };
  if (now < patientUntil) return { access, problems: [], recheckAt: patientUntil };
  const message =
    'The cluster has given its load balancer no address, so no other site can dial this one; use a NodePort, or link from here.';
  return { access, problems: [{ where: `Service ${LINKS_SERVICE}`, message }], recheckAt: undefined };
}
