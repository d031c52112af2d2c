/**
 * Which proxy Services the namespace is to have, and the router's listeners behind them. Pure: time and memory come in.
 *
 * The rule that keeps a Service's cluster IP still while a site restarts or cannot be reached: a service that was withdrawn vanishes from the
 * network's list, one whose sites are merely out of reach stays in it, without destinations, until the network forgets it after
 * `FORGET_AFTER_MS`. So a proxy stays for as long as its address is listed. A router that has just started may not have heard of
 * everything, since others may be out of reach: what it has not yet seen in the list keeps its proxy for as long as the network would remember it.
 */
import type { V1Service } from '@kubernetes/client-node';
import type { Problem, ServiceStatus } from '../../api/types.ts';
import type { Resource } from '../../site/resources.ts';
import { FORGET_AFTER_MS } from '../../routing/limits.ts';
import { nameOf } from '../objects.ts';
import { isServiceName } from '../annotations.ts';
import { ListenerPorts } from './listener-ports.ts';
import { serviceListener } from './service-listener.ts';
import { asItStands, changeOf, isAsWanted, isProxy, toService, type Wanted } from './proxy-service.ts';
import type { Writes } from './writes.ts';

/** What outlives a single plan. */
export interface ProxyMemory {
  /** When this controller started, milliseconds. */
  started: number;
  /** Addresses that were in the network's list since then. */
  seen: Set<string>;
  /** Since when an address is listed without ports: whoever has them may be out of reach, while its AMQP clients here still receive from it. */
  portlessSince: Map<string, number>;
  /** By `address:port`, perhaps before its Service shows up in the watch. */
  listenerPorts: ListenerPorts;
}

export function newMemory(now: number): ProxyMemory {
  return { started: now, seen: new Set(), portlessSince: new Map(), listenerPorts: new ListenerPorts() };
}

export interface ProxyInput {
  network: readonly ServiceStatus[];
  services: readonly V1Service[];
  offeredBy: ReadonlyMap<string, ReadonlySet<string>>;
  /** Where listeners listen. */
  host: string;
  now: number;
}

export interface ProxyPlan extends Writes {
  listeners: Resource[];
  problems: Problem[];
  /** When time alone will change the plan, milliseconds. */
  recheckAt: number | undefined;
}

export function planProxies(input: ProxyInput, memory: ProxyMemory): ProxyPlan {
  const { network, services, offeredBy, host, now } = input;
  const plan: ProxyPlan = { create: [], patches: [], remove: [], listeners: [], problems: [], recheckAt: undefined };
  const byName = new Map(services.map((service) => [nameOf(service), service]));
  const proxies = new Map(services.filter(isProxy).map((service) => [nameOf(service), service]));
  const listed = new Map(network.map((status) => [status.address, status]));
  remember(memory, network, services, now);
  const give = (address: string, port: number) => memory.listenerPorts.give(`${address}:${port}`);

  for (const status of [...listed.values()].sort((a, b) => (a.address < b.address ? -1 : 1))) {
    const { address, type, listenerCredentials, ports } = status;
    const proxy = proxies.get(address);
    if (ports.length === 0) {
      if (proxy && staysFrom(memory.portlessSince.get(address) ?? now, now, plan)) keep(asItStands(address, proxy), proxy);
      continue;
    }
    // Exposed, but no pod ready: a Service without endpoints, as Kubernetes itself would have it.
    const isOffered = status.destinations.length > 0 || status.pending !== undefined;
    if (!isOffered && !proxy) continue;
    const taken = byName.get(address);
    if (taken && !proxy) {
      if (!isFine(address, offeredBy)) plan.problems.push(conflict(address));
    } else if (isServiceName(address)) {
      const given = ports.map((port): [number, number] => [port, give(address, port)]);
      keep({ address, type, listenerCredentials, ports: given }, proxy);
    } else plan.problems.push(badName(address));
  }
  for (const [address, proxy] of proxies) {
    if (listed.has(address) || memory.seen.has(address) || !staysFrom(memory.started, now, plan)) continue;
    keep(asItStands(address, proxy), proxy);
  }
  const kept = new Set(plan.listeners.map((listener) => (listener.kind === 'Listener' ? listener.spec.routingKey : '')));
  for (const [name, { metadata: { uid, resourceVersion, deletionTimestamp } = {} }] of proxies)
    if (!kept.has(name) && !deletionTimestamp) plan.remove.push({ name, seen: { uid, resourceVersion } });
  return plan;

  function keep(wanted: Wanted, proxy: V1Service | undefined): void {
    const object = toService(wanted);
    if (!proxy) plan.create.push(object);
    else if (!isAsWanted(proxy, object)) plan.patches.push({ name: wanted.address, change: changeOf(proxy, object) });
    const { address, type, listenerCredentials: credentials, ports } = wanted;
    for (const [port, listenerPort] of ports) {
      const name = `service-${address}-${port}`;
      const settings = { servicePort: String(port) };
      plan.listeners.push(
        serviceListener({ name, service: address, address, type, host, port: listenerPort, credentials, settings }),
      );
    }
  }
}

function remember(memory: ProxyMemory, network: readonly ServiceStatus[], services: readonly V1Service[], now: number): void {
  const proxies = services.filter(isProxy);
  for (const { address } of network) memory.seen.add(address);
  const portless = network.flatMap(({ address, ports }) => (ports.length === 0 ? [address] : []));
  memory.portlessSince = new Map(portless.map((address) => [address, memory.portlessSince.get(address) ?? now]));
  const proxied = [...network.map(({ address }) => address), ...proxies.map(nameOf)];
  // The others are those of Services that are diverted.
  const alive = new Set([...proxied, ...services.map((service) => `Service/${nameOf(service)}`)]);
  memory.listenerPorts.keep((owner) => alive.has(owner));
  for (const proxy of proxies)
    for (const { port, targetPort } of proxy.spec?.ports ?? []) memory.listenerPorts.note(`${nameOf(proxy)}:${port}`, targetPort);
}

/** Whether what the network might have forgotten since then is still remembered; if so, the plan is looked at again when it is not. */
function staysFrom(since: number, now: number, plan: ProxyPlan): boolean {
  const end = since + FORGET_AFTER_MS;
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
