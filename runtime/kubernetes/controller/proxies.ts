/**
 * Which proxy Services the namespace is to have, and the router's listeners behind them. Pure: time and memory come in.
 *
 * The rule that keeps a Service's cluster IP still while a site restarts: a service that was withdrawn vanishes from the network's list,
 * one whose sites are merely out of reach stays in it without destinations. The first loses its proxy at once, the second keeps it for
 * `UNREACHABLE_GRACE_MS`. A router that has just started has not heard of everything yet, so what it has not yet seen in the list keeps
 * its proxy for `STARTUP_GRACE_MS`.
 */
import type { V1Service } from '@kubernetes/client-node';
import type { Problem, ServiceStatus } from '../../api/types.ts';
import type { Resource } from '../../site/resources.ts';
import { nameOf } from '../objects.ts';
import { isServiceName } from '../annotations.ts';
import { ListenerPorts } from './listener-ports.ts';
import { serviceListener } from './service-listener.ts';
import { asItStands, changeOf, isAsWanted, isProxy, toService, type Wanted } from './proxy-service.ts';
import type { Writes } from './writes.ts';

export const UNREACHABLE_GRACE_MS = 15 * 60_000;
export const STARTUP_GRACE_MS = 60_000;
/** What outlives a single plan. */
export interface ProxyMemory {
  /** When this controller started, milliseconds. */
  started: number;
  /** Addresses that were in the network's list since then. */
  seen: Set<string>;
  /** Since when an address has had no destination, where the network does not say. */
  emptySince: Map<string, number>;
  /** By `address:port`, perhaps before its Service shows up in the watch. */
  listenerPorts: ListenerPorts;
}

export function newMemory(now: number): ProxyMemory {
  return { started: now, seen: new Set(), emptySince: new Map(), listenerPorts: new ListenerPorts() };
}

export interface ProxyInput {
  network: readonly ServiceStatus[];
  services: readonly V1Service[];
  offeredBy: ReadonlyMap<string, ReadonlySet<string>>;
  now: number;
}

export interface ProxyPlan extends Writes {
  listeners: Resource[];
  problems: Problem[];
  /** When time alone will change the plan, milliseconds. */
  recheckAt: number | undefined;
}

export function planProxies(input: ProxyInput, memory: ProxyMemory): ProxyPlan {
  const { network, services, offeredBy, now } = input;
  const plan: ProxyPlan = { create: [], patches: [], remove: [], listeners: [], problems: [], recheckAt: undefined };
  const byName = new Map(services.map((service) => [nameOf(service), service]));
  const proxies = new Map(services.filter(isProxy).map((service) => [nameOf(service), service]));
  const listed = new Map(network.map((status) => [status.address, status]));
  remember(memory, network, services, now);
  const give = (address: string, port: number) => memory.listenerPorts.give(`${address}:${port}`);

  for (const status of [...listed.values()].sort((a, b) => (a.address < b.address ? -1 : 1))) {
    const { address, type, listenerCredentials, ports } = status;
    const proxy = proxies.get(address);
    // Exposed, but no pod ready: a Service without endpoints, as Kubernetes itself would have it.
    const isOffered = status.destinations.length > 0 || status.pending !== undefined;
    if (!isOffered && !(proxy && staysFor(UNREACHABLE_GRACE_MS, emptySince(status, memory, now), now, plan))) continue;
    const taken = byName.get(address);
    if (taken && !proxy) {
      if (!isFine(address, offeredBy)) plan.problems.push(conflict(address));
    } else if (isServiceName(address)) {
      const given = ports.map((port): [number, number] => [port, give(address, port)]);
      keep(plan, { address, type, listenerCredentials, ports: given }, proxy);
    } else plan.problems.push(badName(address));
  }
  for (const [address, proxy] of proxies) {
    if (listed.has(address) || memory.seen.has(address) || !staysFor(STARTUP_GRACE_MS, memory.started, now, plan)) continue;
    keep(plan, asItStands(address, proxy), proxy);
  }
  const kept = new Set(plan.listeners.map((listener) => (listener.kind === 'Listener' ? listener.spec.routingKey : '')));
  for (const [name, { metadata: { uid, resourceVersion, deletionTimestamp } = {} }] of proxies)
    if (!kept.has(name) && !deletionTimestamp) plan.remove.push({ name, seen: { uid, resourceVersion } });
  return plan;
}

function keep(plan: ProxyPlan, wanted: Wanted, proxy: V1Service | undefined): void {
  const object = toService(wanted);
  if (!proxy) plan.create.push(object);
  else if (!isAsWanted(proxy, object)) plan.patches.push({ name: wanted.address, change: changeOf(proxy, object) });
  const { address, type, listenerCredentials, ports } = wanted;
  for (const [port, listenerPort] of ports)
    plan.listeners.push(
      serviceListener({
        name: `service-${address}-${port}`,
        service: address,
        address,
        type,
        host: '0.0.0.0',
        port: listenerPort,
        credentials: listenerCredentials,
        settings: { servicePort: String(port) },
      }),
    );
}

function remember(memory: ProxyMemory, network: readonly ServiceStatus[], services: readonly V1Service[], now: number): void {
  const proxies = services.filter(isProxy);
  for (const { address, destinations, pending } of network) {
    memory.seen.add(address);
    if (destinations.length > 0 || pending) memory.emptySince.delete(address);
    else if (!memory.emptySince.has(address)) memory.emptySince.set(address, now);
  }
  const proxied = [...network.map(({ address }) => address), ...proxies.map(nameOf)];
  // The others are those of Services that are diverted.
  const alive = new Set([...proxied, ...services.map((service) => `Service/${nameOf(service)}`)]);
  memory.listenerPorts.keep((owner) => alive.has(owner));
  for (const proxy of proxies)
    for (const { port, targetPort } of proxy.spec?.ports ?? []) memory.listenerPorts.note(`${nameOf(proxy)}:${port}`, targetPort);
}

function emptySince({ address, lastOffered }: ServiceStatus, memory: ProxyMemory, now: number): number {
  const told = Date.parse(lastOffered ?? '');
  return Number.isNaN(told) ? (memory.emptySince.get(address) ?? now) : told;
}

/** Whether a grace that began at `since` still lasts; if so, the plan is looked at again when it ends. */
function staysFor(grace: number, since: number, now: number, plan: ProxyPlan): boolean {
  const end = since + grace;
  if (end <= now) return false;
  plan.recheckAt = Math.min(plan.recheckAt ?? end, end);
  return true;
}

/** The very object that is exposed under the address, or the Service of a workload that is. */
function isFine(address: string, offeredBy: ProxyInput['offeredBy']): boolean {
  return [...(offeredBy.get(address) ?? [])].some((by) => by === `Service ${address}` || !by.startsWith('Service '));
}

function conflict(address: string): Problem {
  const message =
    `A Service of this name is here already, so pods of this namespace do not reach the network's ${address}; ` +
    'rename the Service, or expose the other one under another skupper.io/address.';
  return { where: `Service ${address}`, message };
}

function badName(address: string): Problem {
  const message =
    'No Service can have this name, so pods here cannot reach it; ' +
    'give it a skupper.io/address of lower case letters, digits and "-", at most 63, that starts with a letter.';
  return { where: `Address ${address}`, message };
}
