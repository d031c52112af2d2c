/**
 * Which Services of the namespace point at the router, since somebody stands in for what they lead to: callers inside the cluster then reach whom
 * callers of other sites reach. Pure: time and memory come in.
 *
 * The router serves a diverted Service in every case: from whoever stands in, or else from the pods that its owner selected. So it is given back
 * in no hurry, `LEASE_MS` after the network last knew of the intercept: a laptop whose link breaks for a moment changes nothing in the cluster, and
 * one that has gone for good, or a router that has restarted meanwhile, leaves nothing behind.
 */
import type { V1Service } from '@kubernetes/client-node';
import type { Problem, ServiceStatus } from '../../api/types.ts';
import type { Resource } from '../../site/resources.ts';
import { OWN_LABELS } from '../names.ts';
import { hasLabels, nameOf } from '../objects.ts';
import type { ExposedPort } from '../types.ts';
import type { Exposed } from './connectors.ts';
import { asWritten, divert, isDiverted, keyOf, restore } from './diverted-service.ts';
import type { ListenerPorts } from './listener-ports.ts';

export const LEASE_MS = 5_000;
/** So long a Service that was given back is still served: nodes learn of it one after the other. */
export const LINGER_MS = 10_000;

/** What outlives a single plan. */
export interface DivertMemory {
  /** When this controller started, and had not been told of any intercept. Milliseconds. */
  started: number;
  /** When the network last knew of an intercept, by Service. */
  lastKnown: Map<string, number>;
  /** The listeners of Services that were given back, and until when they stay. */
  lingering: Map<string, { listeners: Resource[]; until: number }>;
}

export interface DivertInput {
  network: readonly ServiceStatus[];
  /** As they stand, diverted or not. */
  services: readonly V1Service[];
  /** By address: what offers it here, as `Deployment backend`, and how. */
  offeredBy: ReadonlyMap<string, ReadonlySet<string>>;
  exposed: ReadonlyMap<string, Exposed>;
  ports: ListenerPorts;
  now: number;
}

export interface DivertPlan {
  /** Merge patches, by Service. */
  patches: { name: string; change: object }[];
  listeners: Resource[];
  problems: Problem[];
  recheckAt: number | undefined;
}

export function newDivertMemory(now: number): DivertMemory {
  return { started: now, lastKnown: new Map(), lingering: new Map() };
}

export function planDiversions(input: DivertInput, memory: DivertMemory): DivertPlan {
  const { network, services, offeredBy, now } = input;
  const plan: DivertPlan = { patches: [], listeners: [], problems: [], recheckAt: undefined };
  const own = new Map(services.filter((service) => !hasLabels(service, OWN_LABELS)).map((service) => [nameOf(service), service]));
  const intercepted = new Set(network.flatMap(({ address, intercepts }) => (intercepts ? [address] : [])));
  const addressOf = new Map<string, string>();
  for (const address of offeredBy.keys())
    for (const name of servicesOf(address, offeredBy)) if (own.has(name)) addressOf.set(name, address);
  for (const [name, service] of own) {
    const address = addressOf.get(name);
    if (address !== undefined && intercepted.has(address)) memory.lastKnown.set(name, now);
    const lastKnown = memory.lastKnown.get(name) ?? (isDiverted(service) ? memory.started : -Infinity);
    if (address !== undefined && lastKnown + LEASE_MS > now) keep(service, address, lastKnown + LEASE_MS);
    else giveBack(service, address);
  }
  for (const name of memory.lastKnown.keys()) if (!own.has(name)) memory.lastKnown.delete(name);
  for (const [name, { listeners, until }] of memory.lingering)
    if (until <= now) memory.lingering.delete(name);
    else {
      plan.listeners.push(...listeners);
      recheck(until);
    }
  return plan;

  function keep(service: V1Service, address: string, leaseEnd: number): void {
    const name = nameOf(service);
    const wanted = listenersOf(service, address, input);
    if (typeof wanted === 'string') {
      plan.problems.push({ where: `Service ${name}`, message: wanted });
      return;
    }
    const change = divert(service, wanted.ports);
    if (change) plan.patches.push({ name, change });
    plan.listeners.push(...wanted.listeners);
    memory.lingering.delete(name);
    if (!intercepted.has(address)) recheck(leaseEnd);
  }

  function giveBack(service: V1Service, address: string | undefined): void {
    const name = nameOf(service);
    memory.lastKnown.delete(name);
    const change = restore(service);
    if (!change) return;
    plan.patches.push({ name, change });
    const wanted = address === undefined ? undefined : listenersOf(service, address, input);
    if (wanted && typeof wanted !== 'string') memory.lingering.set(name, { listeners: wanted.listeners, until: now + LINGER_MS });
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

/** The Services that are exposed under an address, and the one of its name, which leads to the workload that is. */
function servicesOf(address: string, offeredBy: DivertInput['offeredBy']): string[] {
  const by = [...(offeredBy.get(address) ?? [])];
  const services = by.filter((what) => what.startsWith('Service ')).map((what) => what.slice('Service '.length));
  return by.length > services.length ? [...new Set([...services, address])] : services;
}

interface Wanted {
  /** Listener ports, by the Service's own ports (`keyOf`). */
  ports: Map<string, number>;
  listeners: Resource[];
}

/** A listener of the router for each port of a Service; one sentence where it cannot be served so. */
function listenersOf(service: V1Service, address: string, { exposed, ports }: DivertInput): Wanted | string {
  const { type, ports: offered } = exposed.get(address) ?? { type: 'tcp', ports: [] };
  const name = nameOf(service);
  const { spec } = asWritten(service);
  const stays = `so callers inside the cluster keep reaching what it leads to, not who stands in for ${address}`;
  if (spec?.clusterIP === 'None') return `It has no cluster IP, ${stays}.`;
  if (spec?.type === 'ExternalName' || Object.keys(spec?.selector ?? {}).length === 0) return `It selects no pods, ${stays}.`;
  const wanted: Wanted = { ports: new Map(), listeners: [] };
  for (const own of spec?.ports ?? []) {
    const isCarried = (own.protocol === 'UDP') === (type === 'udp');
    const there = isCarried ? offered.find((port) => leadsTo(own, port)) : undefined;
    if (!there) return `The network does not carry its port ${own.port}, ${stays}; expose that port, too.`;
    const listenerPort = ports.give(portKey(service, own));
    wanted.ports.set(keyOf(own), listenerPort);
    wanted.listeners.push({
      kind: 'Listener',
      name: `diverted-${name}-${own.port}`,
      where: `Service ${name}`,
      spec: { routingKey: address, host: '0.0.0.0', port: listenerPort, type, settings: { servicePort: String(there.port) } },
    });
  }
  return wanted;
}

function leadsTo(own: { port: number; targetPort?: number | string }, exposed: ExposedPort): boolean {
  const target = own.targetPort ?? own.port;
  return target === exposed.targetPort || target === exposed.targetName || own.port === exposed.port;
}
