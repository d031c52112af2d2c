/** Which name and port leads where. Pure: asks nobody. */
import { isIP } from 'node:net';
import type { Protocol } from '../../routing/types.ts';

/** A service as a proxy's clients mean it. */
export interface NamedService {
  address: string;
  type: Protocol;
  /** That its clients use, ascending. */
  ports: readonly number[];
}

/** What names mean in the network. Both are asked with names in lower case. */
export interface NetworkNames {
  /** Undefined where no site offers such an address. */
  service(name: string): NamedService | undefined;
  /** Whether a site of the network is in a Kubernetes namespace of that name. */
  hasNamespace(name: string): boolean;
}

export type Destination =
  | { to: 'service'; address: string; port: number }
  /** Connected to from here, as without a proxy. */
  | { to: 'host'; host: string; port: number }
  /** The network has the name, but nothing behind it that could be meant. `message` is one sentence. */
  | { to: 'nowhere'; message: string };

/** What may follow `SERVICE.NAMESPACE` in a cluster (Kubernetes DNS-Based Service Discovery, 2.3), longest first. */
const CLUSTER_SUFFIXES = ['.svc.cluster.local', '.svc', ''];
/** A host name, as far as proxies are asked for one; resolvers are stricter. RFC 1035, 2.3.4 has the length. */
const HOST_NAME = /^[\w-][\w.-]{0,253}$/;

/**
 * The network's services are meant by the names that pods use: `backend`, `backend.shop`, `backend.shop.svc` and
 * `backend.shop.svc.cluster.local`, where `shop` is a namespace with a site of the network. Their ports are the service's. Everything
 * else is a host, and this computer itself is never the network's.
 *
 * @param host a name in any case, a final dot allowed, or an IP address without brackets
 */
export function destinationOf(host: string, port: number, names: NetworkNames): Destination {
  if (isIP(host) !== 0) return { to: 'host', host, port };
  const name = host.toLowerCase().replace(/\.$/, '');
  if (!HOST_NAME.test(name)) return { to: 'nowhere', message: `${shown(host)} is no name of a host.` };
  // RFC 6761, 6.3: these never leave the computer.
  if (name === 'localhost' || name.endsWith('.localhost')) return { to: 'host', host: 'localhost', port };
  const service = serviceOf(name, names);
  if (!service) return { to: 'host', host: name, port };
  const { address, type, ports } = service;
  if (type === 'udp') return { to: 'nowhere', message: `${address} speaks udp, which goes through no proxy.` };
  if (!ports.includes(port)) return { to: 'nowhere', message: `${address} has the ${portList(ports)}, not ${port}.` };
  return { to: 'service', address, port };
}

function serviceOf(name: string, names: NetworkNames): NamedService | undefined {
  const whole = names.service(name);
  if (whole) return whole;
  for (const suffix of CLUSTER_SUFFIXES) {
    if (!name.endsWith(suffix)) continue;
    const plain = name.slice(0, name.length - suffix.length);
    const dot = plain.lastIndexOf('.');
    const service = dot > 0 && names.hasNamespace(plain.slice(dot + 1)) ? names.service(plain.slice(0, dot)) : undefined;
    if (service) return service;
  }
  return undefined;
}

function portList(ports: readonly number[]): string {
  return ports.length === 1 ? `port ${ports[0]}` : `ports ${ports.slice(0, -1).join(', ')} and ${ports.at(-1)}`;
}

function shown(host: string): string {
  return JSON.stringify(host.length > 60 ? `${host.slice(0, 57)}...` : host);
}
