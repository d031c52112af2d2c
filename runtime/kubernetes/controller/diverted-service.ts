/**
 * A Service of somebody's that points at the router for a while, so that callers inside the cluster reach whoever stands in for it. What its
 * owner wrote is kept in an annotation, and what they write meanwhile counts. Pure.
 */
import type { V1Service } from '@kubernetes/client-node';
import { ORIGINAL_ANNOTATION, ROUTER_LABELS } from '../names.ts';

type Port = NonNullable<NonNullable<V1Service['spec']>['ports']>[number];
type Selector = Record<string, string>;

/** What the owner wrote of the fields that are changed. */
interface Original {
  selector: Selector;
  /** By port, as `TCP/80`; none where the Service names none. */
  targetPorts: Record<string, number | string>;
  /** What was put there instead. */
  listenerPorts: Record<string, number>;
}

export function isDiverted({ metadata }: V1Service): boolean {
  return metadata?.annotations?.[ORIGINAL_ANNOTATION] !== undefined;
}

/** The Service as its owner wrote it. */
export function asWritten(service: V1Service): V1Service {
  const original = originalOf(service);
  if (!original) return service;
  const { [ORIGINAL_ANNOTATION]: _, ...annotations } = service.metadata?.annotations ?? {};
  const ports = (service.spec?.ports ?? []).map((port) => withTarget(port, original.targetPorts[keyOf(port)]));
  // What the API server sends is plain, whatever its type says.
  return Object.assign({}, service, {
    metadata: Object.assign({}, service.metadata, { annotations }),
    spec: Object.assign({}, service.spec, { selector: original.selector, ports }),
  });
}

/** The change that points it at these ports of the router, by its own ports; undefined where it does so already. */
export function divert(service: V1Service, listenerPorts: ReadonlyMap<string, number>): object | undefined {
  const written = asWritten(service);
  const original: Original = {
    selector: written.spec?.selector ?? {},
    targetPorts: Object.fromEntries(
      (written.spec?.ports ?? []).flatMap((port) =>
        port.targetPort === undefined ? [] : [[keyOf(port), port.targetPort] as const],
      ),
    ),
    listenerPorts: Object.fromEntries(listenerPorts),
  };
  const ports = (written.spec?.ports ?? []).map((port) => withTarget(port, listenerPorts.get(keyOf(port))));
  return changeOf(service, { selector: ROUTER_LABELS, ports, annotation: JSON.stringify(original) });
}

/** The change that gives it back; undefined where it is as its owner wrote it. */
export function restore(service: V1Service): object | undefined {
  if (!isDiverted(service)) return undefined;
  const { selector = {}, ports = [] } = asWritten(service).spec ?? {};
  return changeOf(service, { selector, ports, annotation: null });
}

/** `TCP/80` */
export function keyOf({ port, protocol = 'TCP' }: Port): string {
  return `${protocol}/${port}`;
}

function originalOf(service: V1Service): Original | undefined {
  const kept = read(service.metadata?.annotations?.[ORIGINAL_ANNOTATION]);
  if (!kept) return undefined;
  // Where its owner wrote to it since, that stands beside or in place of what was put there.
  const live = Object.entries(service.spec?.selector ?? {});
  const own = live.filter(([key, value]) => (ROUTER_LABELS as Selector)[key] !== value);
  const targetPorts = { ...kept.targetPorts };
  const ours = new Set<number | string>(Object.values(kept.listenerPorts));
  for (const port of service.spec?.ports ?? [])
    if (port.targetPort !== undefined && !ours.has(port.targetPort)) targetPorts[keyOf(port)] = port.targetPort;
  return { ...kept, selector: own.length > 0 ? Object.fromEntries(own) : kept.selector, targetPorts };
}

/** Undefined where somebody broke it: then the Service is what it is. */
function read(annotation: string | undefined): Original | undefined {
  try {
    const { selector, targetPorts, listenerPorts } = JSON.parse(annotation ?? '') as Partial<Original>;
    return selector && targetPorts && listenerPorts ? { selector, targetPorts, listenerPorts } : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined: the port's own number. */
export function withTarget(port: Port, targetPort: number | string | undefined): Port {
  const copy: Port = Object.assign({}, port);
  if (targetPort === undefined) delete copy.targetPort;
  else copy.targetPort = targetPort;
  return copy;
}

/** A merge patch: it names the version that was seen, so that nobody else's change is undone unseen. */
function changeOf(
  { metadata, spec }: V1Service,
  to: { selector: Selector; ports: Port[]; annotation: string | null },
): object | undefined {
  const { selector = {}, ports = [] } = spec ?? {};
  const annotation = metadata?.annotations?.[ORIGINAL_ANNOTATION] ?? null;
  if (isSame(selector, to.selector) && isSame(byKey(ports), byKey(to.ports)) && annotation === to.annotation) return undefined;
  // A merge patch takes away what is null.
  const gone = Object.fromEntries(Object.keys(selector).map((key) => [key, null]));
  return {
    metadata: { resourceVersion: metadata?.resourceVersion, annotations: { [ORIGINAL_ANNOTATION]: to.annotation } },
    spec: { selector: { ...gone, ...to.selector }, ports: to.ports },
  };
}

function byKey(ports: readonly Port[]): Record<string, string> {
  return Object.fromEntries(ports.map((port) => [keyOf(port), String(port.targetPort ?? port.port)]));
}

function isSame(a: Selector, b: Selector): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
