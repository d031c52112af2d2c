/** A proxy Service: the name under which the namespace's pods reach an address, pointing at the router. Pure. */
import type { V1Service } from '@kubernetes/client-node';
import { type Protocol, PROTOCOLS } from '../../api/vocabulary.ts';
import { ADDRESS_ANNOTATION, COMPONENT, CREDENTIALS_ANNOTATION, OWN_LABELS, ROUTER_LABELS, TYPE_ANNOTATION } from '../names.ts';
import { hasLabels, type KubeObject } from '../objects.ts';

export const PROXY_LABELS = { ...OWN_LABELS, [COMPONENT]: 'proxy' };

export type ProxyService = Extract<KubeObject, { kind: 'Service' }>;

/** What a proxy Service is to be. */
export interface Wanted {
  address: string;
  type: Protocol;
  /** The Secret with the certificate that clients are shown; without it they speak plainly. */
  listenerCredentials?: string | undefined;
  /** Service port → listener port. */
  ports: [number, number][];
}

export function portName(port: number): string {
  return `port-${port}`;
}

export function isProxy(service: V1Service): boolean {
  return hasLabels(service, PROXY_LABELS);
}

export function toService({ address, type, listenerCredentials = '', ports }: Wanted): ProxyService {
  const protocol = type === 'udp' ? 'UDP' : 'TCP';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: address,
      labels: PROXY_LABELS,
      // Empty, not left out: a merge patch leaves what it does not name.
      annotations: {
        [ADDRESS_ANNOTATION]: address,
        [TYPE_ANNOTATION]: type,
        [CREDENTIALS_ANNOTATION]: listenerCredentials,
      },
    },
    spec: {
      type: 'ClusterIP',
      selector: ROUTER_LABELS,
      ports: ports.map(([port, targetPort]) => ({ name: portName(port), port, targetPort, protocol })),
    },
  };
}

/** The merge patch that makes it so. It names the version that was seen, so that nobody else's change is undone unseen. */
export function changeOf({ metadata }: V1Service, { metadata: { labels, annotations }, spec }: ProxyService): object {
  return { metadata: { resourceVersion: metadata?.resourceVersion, labels, annotations }, spec };
}

export function isAsWanted({ metadata, spec }: V1Service, wanted: ProxyService): boolean {
  const says = (annotation: string) => (metadata?.annotations?.[annotation] ?? '') === wanted.metadata.annotations?.[annotation];
  const ports = (of: V1Service['spec']) =>
    JSON.stringify((of?.ports ?? []).map(({ port, targetPort, protocol }) => [port, targetPort, protocol]));
  const sorted = (record: Record<string, string> = {}) =>
    Object.keys(record)
      .sort()
      .map((key) => `${key}=${record[key]}`)
      .join();
  return (
    ports(spec) === ports(wanted.spec) &&
    sorted(spec?.selector) === sorted(wanted.spec?.selector) &&
    says(TYPE_ANNOTATION) &&
    says(CREDENTIALS_ANNOTATION)
  );
}

/** What a proxy of an earlier run says of itself, until the network does. */
export function asItStands(address: string, { spec, metadata }: V1Service): Wanted {
  const told = metadata?.annotations?.[TYPE_ANNOTATION] as Protocol;
  const ports = (spec?.ports ?? []).map(({ port, targetPort }): [number, number] => [port, Number(targetPort ?? port)]);
  const listenerCredentials = metadata?.annotations?.[CREDENTIALS_ANNOTATION] || undefined;
  return { address, type: PROTOCOLS.includes(told) ? told : 'tcp', listenerCredentials, ports };
}
