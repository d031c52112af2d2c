/** What the namespace offers: annotated objects and Connectors with a selector, as connectors to the pods behind them. Pure. */
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { Problem } from '../../api/types.ts';
import type { ConnectorResource, Resource, Target } from '../../site/resources.ts';
import { type OwnPort, ownPorts, PROXY, readExposure } from '../annotations.ts';
import { OWN_LABELS, ROUTER_LABELS } from '../names.ts';
import { hasLabels, nameOf } from '../objects.ts';
import { isAlive, isReady, matchesSelector, namedPort, noneReady } from '../pods.ts';
import type { ExposedPort, Exposure, WorkloadKind } from '../types.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { Snapshot, Workload } from './snapshot.ts';

export interface Offers {
  connectors: ConnectorResource[];
  problems: Problem[];
  /** By address: what offers it here, as `Deployment backend`. */
  offeredBy: Map<string, Set<string>>;
  /** What annotations expose. */
  exposed: Exposed[];
}

/** An object that is exposed. */
export interface Exposed extends Exposure {
  kind: WorkloadKind;
  name: string;
  /** Of a workload: the labels of its pods, and what its containers call their ports. */
  pods?: { labels: Record<string, string>; portNames: ReadonlyMap<string, number> };
}

export function offersOf(snapshot: Snapshot): Offers {
  const offers: Offers = { connectors: [], problems: [], offeredBy: new Map(), exposed: [] };
  for (const service of snapshot.services)
    if (!hasLabels(service, OWN_LABELS))
      offerObject(offers, 'Service', service, (exposed) => behindService(service, exposed, snapshot.pods));
    else if (service.metadata?.annotations?.[PROXY] !== undefined) offers.problems.push(ownService(service));
  for (const workload of snapshot.workloads)
    offerObject(offers, workload.kind, workload.object, (exposed) => behindWorkload(workload, exposed, snapshot.pods));
  return offers;
}

type Found = Pick<ConnectorResource, 'targets' | 'pending'>;

interface Sought extends ExposedPort {
  /** Where it is a name: of the pods' port. */
  protocol?: 'TCP' | 'UDP';
}

function offerObject(
  offers: Offers,
  kind: WorkloadKind,
  object: V1Service | Workload['object'],
  find: (sought: Sought) => Found,
): void {
  const { metadata = {} } = object;
  if (metadata.deletionTimestamp) return;
  const where = `${kind} ${nameOf(object)}`;
  const exposure = readExposure(kind, metadata, ownPorts(kind, object));
  if (exposure === undefined) return;
  if (typeof exposure === 'string') {
    offers.problems.push({ where, message: exposure });
    return;
  }
  const { address, type, distribution, aggregate, settings, listenerCredentials, ports } = exposure;
  noteOffer(offers, address, where);
  offers.exposed.push({ kind, name: nameOf(object), ...exposure, ...podsOf(kind, object) });
  const tls = tlsOf(exposure, kind, object);
  for (const exposed of ports) {
    // One of several ports takes its own clients only; a sole port takes whoever asks for the address.
    const only: Record<string, string> = ports.length > 1 ? { servicePort: String(exposed.port) } : {};
    offers.connectors.push({
      kind: 'Connector',
      name: `${kind.toLowerCase()}-${nameOf(object)}-${exposed.port}`,
      where,
      spec: {
        routingKey: address,
        port: exposed.port,
        type,
        includeNotReadyPods: false,
        ...tls.spec,
        settings: {
          distribution,
          ...(aggregate && { aggregate }),
          ...settings,
          ...tls.settings,
          ...(listenerCredentials !== undefined && { listenerCredentials }),
          ...only,
        },
      },
      ...find({ ...exposed, protocol: type === 'udp' ? 'UDP' : 'TCP' }),
    });
  }
}

/** How TLS is spoken with its servers, as a Connector says it. */
function tlsOf({ tls }: Exposure, kind: WorkloadKind, object: V1Service | Workload['object']) {
  if (!tls) return {};
  const { mode, credentials, useClientCert } = tls;
  const tlsServerName = tls.serverName ?? (kind === 'Service' ? hostNameOf(object as V1Service) : undefined);
  return {
    spec: { ...(credentials !== undefined && { tlsCredentials: credentials }), ...(useClientCert && { useClientCert }) },
    settings: { ...(mode && { tls: mode }), ...(tlsServerName !== undefined && { tlsServerName }) },
  };
}

/** What a certificate for a Service is for: the name by which other namespaces of the cluster reach it. */
function hostNameOf({ metadata, spec }: V1Service): string | undefined {
  return spec?.type === 'ExternalName' ? spec.externalName : `${metadata?.name}.${metadata?.namespace}.svc`;
}

/** Resources as they are, except that a Connector's selector is resolved to pods. */
export function resolveSelectors(resources: readonly Resource[], pods: readonly V1Pod[], offers: Offers): Resource[] {
  return resources.map((resource) => {
    if (resource.kind !== 'Connector') return resource;
    const { routingKey, port, selector: text, includeNotReadyPods } = resource.spec;
    noteOffer(offers, routingKey, `Connector ${resource.name}`);
    if (text === undefined) return resource;
    const selector = parseLabelSelector(text);
    if (!selector) {
      const message = `spec.selector is "${text}"; write labels such as "app=backend,tier=web".`;
      offers.problems.push({ where: resource.where, message });
      return { ...resource, targets: [], pending: `its selector "${text}" cannot be read` };
    }
    const chosen = pods.filter((pod) => matchesSelector(pod, selector));
    const of = `Connector ${resource.name} (${text})`;
    return { ...resource, ...toTargets(chosen, of, { port, targetPort: port }, includeNotReadyPods) };
  });
}

function ownService(service: V1Service): Problem {
  const message = `This Service is Caravan's own, and exposes nothing; put ${PROXY} on what its clients are to reach.`;
  return { where: `Service ${nameOf(service)}`, message };
}

function podsOf(kind: WorkloadKind, object: V1Service | Workload['object']): Pick<Exposed, 'pods'> {
  if (kind === 'Service') return {};
  const { template } = (object as Workload['object']).spec ?? {};
  const named = ownPorts(kind, object).flatMap(({ name, port }) => (name === undefined ? [] : [[name, port] as const]));
  return { pods: { labels: template?.metadata?.labels ?? {}, portNames: new Map(named) } };
}

function noteOffer({ offeredBy }: Offers, address: string, by: string): void {
  const known = offeredBy.get(address);
  if (known) known.add(by);
  else offeredBy.set(address, new Set([by]));
}

function behindWorkload({ kind, object }: Workload, exposed: Sought, pods: readonly V1Pod[]): Found {
  const chosen = pods.filter((pod) => matchesSelector(pod, object.spec?.selector ?? {}));
  const wanted = 'replicas' in (object.spec ?? {}) ? (object.spec as { replicas?: number }).replicas : undefined;
  return toTargets(chosen, `${kind} ${nameOf(object)}`, exposed, false, wanted);
}

function behindService(service: V1Service, exposed: Sought, pods: readonly V1Pod[]): Found {
  const { selector = {}, type, externalName, clusterIP, publishNotReadyAddresses = false } = service.spec ?? {};
  const of = `Service ${nameOf(service)}`;
  if (type === 'ExternalName') return one(externalName ?? '', exposed.targetPort);
  if (Object.keys(selector).length > 0) {
    // A Service that was left pointing at the router leads to nobody: the router's own pod would ask itself.
    const chosen = pods.filter((pod) => hasLabels(pod, selector) && !hasLabels(pod, ROUTER_LABELS));
    return toTargets(chosen, of, exposed, publishNotReadyAddresses);
  }
  if (!clusterIP || clusterIP === 'None') return { targets: [], pending: `${of} has neither a selector nor a cluster IP` };
  // Its endpoints are kept by hand: the cluster IP leads to them, on the Service's own ports.
  const own = ownPorts('Service', service);
  const through = own.find(({ port }) => port === exposed.port) ?? own.find((port) => leadsThere(port, exposed));
  return through ? one(clusterIP, through.port) : { targets: [], pending: `${of} has no port ${exposed.port}` };
}

function leadsThere({ port, targetPort }: OwnPort, exposed: ExposedPort): boolean {
  return targetPort === exposed.targetName || (targetPort ?? port) === exposed.targetPort;
}

function one(host: string, port: number): Found {
  return { targets: [{ host, port, name: `${host}:${port}` }] };
}

function toTargets(pods: readonly V1Pod[], of: string, exposed: Sought, notReadyToo: boolean, wanted?: number): Found {
  const alive = pods.filter(isAlive).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const serving = alive.filter((pod) => pod.status?.podIP && (notReadyToo || isReady(pod)));
  const targets = serving.flatMap((pod): Target[] => {
    const port = exposed.targetName === undefined ? exposed.targetPort : namedPort(pod, exposed.targetName, exposed.protocol);
    return port === undefined ? [] : [{ host: pod.status!.podIP!, port, name: nameOf(pod) }];
  });
  if (targets.length > 0) return { targets };
  if (serving.length > 0) return { targets, pending: `no pod of ${of} has a port named ${exposed.targetName}` };
  return { targets, pending: noneReady(of, alive, wanted) };
}
