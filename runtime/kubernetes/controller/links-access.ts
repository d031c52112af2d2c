/** Where other sites reach this one: what the cluster made of the Service `caravan-links`. Pure. */
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { AccessStatus, Problem } from '../../api/types.ts';
import { LINKS_SERVICE } from '../names.ts';
import { nameOf } from '../objects.ts';
import { isAlive } from '../pods.ts';
import { LINKS_PORT } from '../ports.ts';

/** A load balancer that has no address after this long most likely gets none. Milliseconds. */
export const LOAD_BALANCER_PATIENCE_MS = 60_000;

export interface LinksAccess {
  access: AccessStatus[];
  problems: Problem[];
  recheckAt: number | undefined;
}

/** Nodes that are told at most: a link tries them in turn. */
const MOST_NODES = 5;

interface Around {
  services: readonly V1Service[];
  pods: readonly V1Pod[];
  /** The address of the node that this pod runs on. */
  hostIp: string | undefined;
  now: number;
}

export function linksAccess({ services, pods, hostIp, now }: Around): LinksAccess {
  const service = services.find((each) => nameOf(each) === LINKS_SERVICE);
  const port = service?.spec?.ports?.[0];
  if (service?.spec?.type === 'NodePort') {
    const { nodePort } = port ?? {};
    const local = service.spec.externalTrafficPolicy === 'Local';
    const nodes = hostIp === undefined ? [] : [hostIp, ...(local ? [] : otherNodes(pods, hostIp))];
    const access = nodePort ? nodes.map((host) => ({ host, port: nodePort, way: 'NodePort' })) : [];
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

/**
 * Every node's NodePort leads here, also once the router has moved to another one. Nodes may be listed with rights in the whole cluster only;
 * the namespace's pods tell some of them.
 */
function otherNodes(pods: readonly V1Pod[], hostIp: string): string[] {
  const nodes = new Set(pods.filter(isAlive).flatMap(({ status }) => status?.hostIP ?? []));
  nodes.delete(hostIp);
  return [...nodes].sort((a, b) => (a < b ? -1 : 1)).slice(0, MOST_NODES - 1);
}
