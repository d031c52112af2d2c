/**
 * Proxy Services that somebody has made theirs: what is applied under the name of a proxy merges into it, and all that Caravan wrote stays on what
 * is a Service of the user's from then on. Pure.
 */
import type { V1Service } from '@kubernetes/client-node';
import { ADDRESS_ANNOTATION, CREDENTIALS_ANNOTATION, FIELD_MANAGER, ROUTER_LABELS, TYPE_ANNOTATION } from '../names.ts';
import { nameOf } from '../objects.ts';
import { withTarget } from './diverted-service.ts';
import type { ListenerPorts } from './listener-ports.ts';
import { isProxy, portName, PROXY_LABELS } from './proxy-service.ts';
import type { Writes } from './writes.ts';

type Texts = Record<string, string>;
type Port = NonNullable<NonNullable<V1Service['spec']>['ports']>[number];

/** What `kubectl apply` and tools like it keep on an object: the whole of what was applied. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const OWN_ANNOTATIONS = new Set([ADDRESS_ANNOTATION, TYPE_ANNOTATION, CREDENTIALS_ANNOTATION]);

/** The Services as their owners wrote them, and the change that makes each so that was a proxy before. */
export function handOver(
  services: readonly V1Service[],
  given: ListenerPorts,
): { services: V1Service[] } & Pick<Writes, 'patches'> {
  const patches: Writes['patches'] = [];
  const written = services.map((service) => {
    if (!isHandedOver(service)) return service;
    const { labels = {}, annotations = {}, resourceVersion } = service.metadata ?? {};
    const left = {
      labels: without(labels, ([key, value]) => (PROXY_LABELS as Texts)[key] === value),
      annotations: without(annotations, ([key]) => OWN_ANNOTATIONS.has(key)),
      selector: without(service.spec?.selector ?? {}, isRouterLabel),
      ports: portsLeft(service, given),
    };
    patches.push({
      name: nameOf(service),
      change: {
        metadata: { resourceVersion, labels: gone(labels, left.labels), annotations: gone(annotations, left.annotations) },
        spec: { selector: gone(service.spec?.selector ?? {}, left.selector), ports: left.ports },
      },
    });
    // What the API server sends is plain, whatever its type says.
    return Object.assign({}, service, {
      metadata: Object.assign({}, service.metadata, { labels: left.labels, annotations: left.annotations }),
      spec: Object.assign({}, service.spec, { selector: left.selector, ports: left.ports }),
    });
  });
  return { services: written, patches };
}

function isHandedOver(service: V1Service): boolean {
  const { annotations = {}, managedFields = [] } = service.metadata ?? {};
  if (!isProxy(service)) return annotations[ADDRESS_ANNOTATION] !== undefined;
  // Where somebody applies a copy of the proxy, that is what they mean.
  const applied = annotations[LAST_APPLIED];
  if (applied !== undefined && !applied.includes(ADDRESS_ANNOTATION)) return true;
  // Server-side apply (Argo CD, Flux) keeps nothing of the kind, but who applies which fields.
  return (
    Object.entries(service.spec?.selector ?? {}).some((label) => !isRouterLabel(label)) ||
    managedFields.some(
      ({ operation, manager, fieldsV1 }) =>
        operation === 'Apply' && manager !== FIELD_MANAGER && 'f:spec' in ((fieldsV1 ?? {}) as object),
    )
  );
}

function isRouterLabel([key, value]: [string, string]): boolean {
  return (ROUTER_LABELS as Texts)[key] === value;
}

/** Without the proxy's ports, unless no other is left: then its owner named one that was there. None leads to the router any more. */
function portsLeft(service: V1Service, given: ListenerPorts): Port[] {
  const ports = service.spec?.ports ?? [];
  const isGiven = ({ port, targetPort }: Port) => given.isGiven(nameOf(service), port, targetPort);
  const theirs = ports.filter((port) => !isGiven(port) || port.name !== portName(port.port));
  return (theirs.length > 0 ? theirs : ports).map((port) => (isGiven(port) ? withTarget(port, undefined) : port));
}

function without(texts: Texts, isOurs: (entry: [string, string]) => boolean): Texts {
  return Object.fromEntries(Object.entries(texts).filter((entry) => !isOurs(entry)));
}

/** As a merge patch takes away. */
function gone(before: Texts, left: Texts): Record<string, null> {
  return Object.fromEntries(Object.keys(before).flatMap((key) => (key in left ? [] : [[key, null] as const])));
}
