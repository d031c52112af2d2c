/** Environment variables that lead programs of this computer into the network. Pure; the extension bundles it. */
import type { ListenerStatus, ProxyStatus, ServiceStatus } from './types.ts';

/** Reached without the proxy, always. */
const NO_PROXY = 'localhost,127.0.0.1,::1';

/**
 * What Kubernetes gives its pods for a Service (envVars for services): `BACKEND_SERVICE_HOST` and `BACKEND_SERVICE_PORT`, of every
 * service that has an open port on this computer. Of several ports the lowest is the service's own, as `BACKEND_SERVICE_PORT` too;
 * each of them is also `BACKEND_SERVICE_PORT_8080`, where Kubernetes puts the port's name.
 *
 * Kubernetes' `BACKEND_PORT` (`tcp://10.0.0.1:8080`) and what follows from it are left out on purpose: programs read
 * `REDIS_PORT` and the like as a number of their own, and a Kubernetes that fills them is a well-known trap.
 *
 * Of two addresses that make the same names, such as `a-b` and `a.b`, the first in the alphabet has them.
 */
export function serviceEnvironment(status: { services: ServiceStatus[]; listeners: ListenerStatus[] }): Record<string, string> {
  const known = new Set(status.services.map(({ address }) => address));
  const open = status.listeners.filter(({ address, state, port }) => known.has(address) && state === 'open' && port > 0);
  const variables: Record<string, string> = {};
  const addresses = [...new Set(open.map(({ address }) => address))].sort();
  for (const address of addresses) {
    const prefix = `${nameOf(address)}_SERVICE`;
    if (`${prefix}_HOST` in variables) continue;
    const ports = open.filter((listener) => listener.address === address).sort((a, b) => a.servicePort - b.servicePort);
    const distinct = ports.filter(({ servicePort }, at) => ports.findIndex((port) => port.servicePort === servicePort) === at);
    variables[`${prefix}_HOST`] = hereOf(distinct[0]!.host);
    variables[`${prefix}_PORT`] = String(distinct[0]!.port);
    if (distinct.length > 1)
      for (const { servicePort, port } of distinct) variables[`${prefix}_PORT_${servicePort}`] = String(port);
  }
  return variables;
}

/** What makes programs use the proxy, in every case that they look for. `socks5h`: the proxy resolves names, not the program. */
export function proxyEnvironment({ host, port }: ProxyStatus): Record<string, string> {
  const http = `http://${host}:${port}`;
  const lower = { http_proxy: http, https_proxy: http, all_proxy: `socks5h://${host}:${port}`, no_proxy: NO_PROXY };
  const upper = Object.entries(lower).map(([name, value]) => [name.toUpperCase(), value]);
  return { ...lower, ...Object.fromEntries(upper) };
}

/** `orders-db.v2` → `ORDERS_DB_V2`. A name that begins with a digit is none in any shell: it gets a `_` in front. */
function nameOf(address: string): string {
  return address
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_')
    .replace(/^(?=\d)/, '_');
}

/** Where a client of this computer reaches a listener: one that listens everywhere listens on loopback, too. */
function hereOf(host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
}
