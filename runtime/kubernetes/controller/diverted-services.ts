/**
 * Which Services of the namespace point at the router, since somebody stands in for what they lead to: callers inside the cluster then reach whom
 * callers of other sites reach. Pure: time and memory come in.
 *
 * The router serves a diverted Service in every case: from whoever stands in, or else from the servers of the address, those of this site first. So it
 * is given back in no hurry, `LEASE_MS` after the network ceased to know of the intercept: a laptop whose link breaks for a moment changes nothing
 * in the cluster, and one that has gone for good, or a router that has restarted meanwhile, leaves nothing behind.
 */
import { isDeepStrictEqual } from 'node:util';
import type { V1Service } from '@kubernetes/client-node';
import type { Problem, ServiceStatus } from '../../api/types.ts';
import type { Resource } from '../../site/resources.ts';
import { OWN_LABELS, ROUTER_LABELS } from '../names.ts';
import { hasLabels, nameOf } from '../objects.ts';
import { TLS_CERT } from '../tls-annotations.ts';
import type { ExposedPort } from '../types.ts';
import type { Exposed } from './connectors.ts';
import { asWritten, divert, isDiverted, keyOf, restore } from './diverted-service.ts';
import type { ListenerPorts } from './listener-ports.ts';
import { serviceListener } from './service-listener.ts';
import type { Writes } from './writes.ts';

export const LEASE_MS = 5_000;
/** So long a Service that was given back is still served: nodes learn of it one after the other. */
export const LINGER_MS = 10_000;

/** What outlives a single plan. */
export interface DivertMemory {
  /** When this controller started, and had not been told of any intercept. Milliseconds. */
  started: number;
  /** Since when the network knows of no intercept any more, by Service that is diverted all the same. */
  missingSince: Map<string, number>;
  /** The listeners that each diverted Service has. */
  serving: Map<string, Resource[]>;
  /** The listeners of Services that were given back, and until when they stay. */
  lingering: Map<string, { listeners: Resource[]; until: number }>;
}

export interface DivertInput {
  network: readonly ServiceStatus[];
  /** As they stand, diverted or not. */
  services: readonly V1Service[];
  /** What annotations expose here. */
  exposed: readonly Exposed[];
  /** Whether a Secret of the namespace has a certificate and its key. */
  hasCertificate: (secret: string) => boolean;
  /** Where listeners listen. */
  host: string;
  ports: ListenerPorts;
  now: number;
}

export interface DivertPlan extends Pick<Writes, 'patches'> {
  listeners: Resource[];
  problems: Problem[];
  recheckAt: number | undefined;
}

export function newDivertMemory(now: number): DivertMemory {
  return { started: now, missingSince: new Map(), serving: new Map(), lingering: new Map() };
}

export function planDiversions(input: DivertInput, memory: DivertMemory): DivertPlan {
  const { network, services, exposed, now } = input;
  const plan: DivertPlan = { patches: [], listeners: [], problems: [], recheckAt: undefined };
  const intercepted = new Set(network.flatMap(({ address, intercepts }) => (intercepts ? [address] : [])));
  const others = services.filter((service) => !hasLabels(service, OWN_LABELS));
  for (const service of others) {
    const name = nameOf(service);
    const leads = whatLeadsTo(service, exposed);
    if (leads && intercepted.has(leads.address)) memory.missingSince.delete(name);
    else if (isDiverted(service) && !memory.missingSince.has(name))
      memory.missingSince.set(name, memory.serving.has(name) ? now : memory.started);
    const missing = memory.missingSince.get(name);
    const isHeld = missing === undefined ? leads && intercepted.has(leads.address) : missing + LEASE_MS > now;
    if (leads && isHeld) keep(service, leads, missing);
    else giveBack(service);
  }
  const there = new Set(others.map(nameOf));
  for (const known of [memory.missingSince, memory.serving])
    for (const name of known.keys()) if (!there.has(name)) known.delete(name);
  for (const [name, { listeners, until }] of memory.lingering)
    if (until <= now) memory.lingering.delete(name);
    else {
      plan.listeners.push(...listeners);
      recheck(until);
    }
  return plan;

  function keep(service: V1Service, leads: Exposed, missing: number | undefined): void {
    const name = nameOf(service);
    const wanted = listenersOf(service, leads, input);
    if (typeof wanted === 'string') {
      plan.problems.push({ where: `Service ${name}`, message: wanted });
      giveBack(service);
      return;
    }
    const change = divert(service, wanted.ports);
    if (change) plan.patches.push({ name, change });
    plan.listeners.push(...wanted.listeners);
    memory.serving.set(name, wanted.listeners);
    memory.lingering.delete(name);
    if (missing !== undefined) recheck(missing + LEASE_MS);
  }

  function giveBack(service: V1Service): void {
    const name = nameOf(service);
    memory.missingSince.delete(name);
    const listeners = memory.serving.get(name);
    memory.serving.delete(name);
    if (listeners) memory.lingering.set(name, { listeners, until: now + LINGER_MS });
    const change = restore(service);
    if (change) plan.patches.push({ name, change });
  }

  function recheck(at: number): void {
    plan.recheckAt = Math.min(plan.recheckAt ?? at, at);
  }
}

/** Remembers the ports that diverted Services have, perhaps of an earlier run. */
export function noteDiverted(services: readonly V1Service[], ports: ListenerPorts): void {
  for (const service of services.filter(isDiverted))
    for (const port of service.spec?.ports ?? []) ports.note(portKey(service, port), port.targetPort);
}

function portKey(service: V1Service, port: Parameters<typeof keyOf>[0]): string {
  return `Service/${nameOf(service)}:${keyOf(port)}`;
}

/**
 * What is exposed that a Service leads to: itself, or the workload under the Service's own name whose pods it selects. Not what a Connector
 * leads to: its host may be this very Service.
 */
function whatLeadsTo(service: V1Service, exposed: readonly Exposed[]): Exposed | undefined {
  const name = nameOf(service);
  const itself = exposed.find((each) => each.kind === 'Service' && each.name === name);
  if (itself) return itself;
  const selector = Object.entries(asWritten(service).spec?.selector ?? {});
  return exposed.find(
    ({ address, pods }) =>
      address === name && pods && selector.length > 0 && selector.every(([key, value]) => pods.labels[key] === value),
  );
}

interface Wanted {
  /** Listener ports, by the Service's own ports (`keyOf`). */
  ports: Map<string, number>;
  listeners: Resource[];
}

/** A listener of the router for each port of a Service; one sentence where it cannot be served so. */
function listenersOf(
  service: V1Service,
  leads: Exposed,
  { host, ports, hasCertificate }: Pick<DivertInput, 'host' | 'ports' | 'hasCertificate'>,
): Wanted | string {
  const { address, type } = leads;
  const name = nameOf(service);
  const { spec = {} } = asWritten(service);
  const stays = `so callers inside the cluster keep reaching what it leads to, not who stands in for ${address}`;
  if (spec.clusterIP === 'None') return `It has no cluster IP, ${stays}.`;
  if (spec.type === 'ExternalName' || Object.keys(spec.selector ?? {}).length === 0) return `It selects no pods, ${stays}.`;
  // Somebody took its annotation away while it was diverted.
  if (isDeepStrictEqual(spec.selector, ROUTER_LABELS))
    return `It points at Caravan's router, and nobody remembers what it pointed at; write its selector and target ports again.`;
  // The router is on one node only.
  if (spec.internalTrafficPolicy === 'Local' || spec.externalTrafficPolicy === 'Local')
    return `Its traffic policy is Local, ${stays}.`;
  // Whoever calls its servers within the cluster speaks as they do.
  const credentials = leads.tls && leads.listenerCredentials;
  if (leads.tls && credentials === undefined)
    return `Its servers speak TLS, and the router has no certificate for their callers, ${stays}; name its Secret in ${TLS_CERT}.`;
  if (credentials !== undefined && !hasCertificate(credentials))
    return `Its servers speak TLS, and there is no certificate for their callers in a Secret named ${credentials}, ${stays}; add one with tls.crt and tls.key.`;
  const wanted: Wanted = { ports: new Map(), listeners: [] };
  for (const own of spec.ports ?? []) {
    const isCarried = (own.protocol ?? 'TCP') === (type === 'udp' ? 'UDP' : 'TCP');
    const there = isCarried ? exposedPortOf(own, leads) : undefined;
    if (!there) return `The network does not carry its port ${own.port}, ${stays}; expose that port, too.`;
    const listenerPort = ports.give(portKey(service, own));
    wanted.ports.set(keyOf(own), listenerPort);
    wanted.listeners.push(
      serviceListener({
        name: `diverted-${name}-${own.port}`,
        service: name,
        address,
        type,
        host,
        port: listenerPort,
        credentials,
        // As it was: what the pods of this cluster can do does not leave it.
        settings: { servicePort: String(there.port), distribution: 'closest' },
      }),
    );
  }
  return wanted;
}

/** The port of the address where a Service's own port leads. */
function exposedPortOf(own: { port: number; targetPort?: number | string }, { ports, pods }: Exposed): ExposedPort | undefined {
  const target = own.targetPort ?? own.port;
  if (pods)
    return ports.find(({ targetPort }) => targetPort === (typeof target === 'string' ? pods.portNames.get(target) : target));
  return (
    ports.find(({ port }) => port === own.port) ??
    ports.find(({ targetPort, targetName }) => target === targetPort || target === targetName)
  );
}
