import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { anyHost } from './any-host.ts';

const of = (family: 'IPv4' | 'IPv6', address: string, internal = false) =>
  ({ family, address, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as NetworkInterfaceInfo;
const lo = [of('IPv4', '127.0.0.1', true), of('IPv6', '::1', true)];

test('listeners take IPv6 where the pod has an address of it that others reach', () => {
  for (const [eth0, host] of [
    [[of('IPv4', '10.0.0.7')], '0.0.0.0'],
    [[of('IPv4', '10.0.0.7'), of('IPv6', 'fe80::1')], '0.0.0.0'],
    [[of('IPv6', 'fd00:10:244::7')], '::'],
    [[of('IPv4', '10.0.0.7'), of('IPv6', '2001:db8::7')], '::'],
  ] as const)
    assert.equal(anyHost({ lo, eth0: [...eth0] }), host, JSON.stringify(eth0));
});
