import { networkInterfaces } from 'node:os';

/**
 * Where listeners behind Services listen: kube-proxy sends to the pod's address of the Service's family. `::` takes IPv4 as well. An address
 * that leads no further than the link (RFC 4291, section 2.5.6) is there without IPv6 in the cluster, too.
 */
export function anyHost(interfaces = networkInterfaces()): '::' | '0.0.0.0' {
  const addresses = Object.values(interfaces).flatMap((each) => each ?? []);
  const hasIPv6 = addresses.some(
    ({ family, internal, address }) => family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address),
  );
  return hasIPv6 ? '::' : '0.0.0.0';
}
