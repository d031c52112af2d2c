import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Destination, destinationOf, type NamedService, type NetworkNames } from './destination.ts';

const services = new Map<string, NamedService>(
  [
    { address: 'backend', type: 'http' as const, ports: [8080] },
    { address: 'Orders', type: 'tcp' as const, ports: [80, 443, 5432] },
    { address: 'orders.v2', type: 'tcp' as const, ports: [5432] },
    { address: 'clock', type: 'udp' as const, ports: [123] },
    { address: 'localhost', type: 'tcp' as const, ports: [80] },
  ].map((service) => [service.address.toLowerCase(), service]),
);
const namespaces = new Set(['shop', 'east-1', 'svc']);
const names: NetworkNames = { service: (name) => services.get(name), hasNamespace: (name) => namespaces.has(name) };

const backend: Destination = { to: 'service', address: 'backend', port: 8080 };
const host = (name: string, port: number): Destination => ({ to: 'host', host: name, port });
const nowhere = (message: string): Destination => ({ to: 'nowhere', message });

const TABLE: [asked: string, port: number, leadsTo: Destination][] = [
  // The names that pods use.
  ['backend', 8080, backend],
  ['backend.shop', 8080, backend],
  ['backend.shop.svc', 8080, backend],
  ['backend.shop.svc.cluster.local', 8080, backend],
  ['backend.east-1', 8080, backend],
  ['BackEnd.Shop.SVC.Cluster.Local', 8080, backend],
  ['backend.', 8080, backend],
  ['backend.shop.svc.cluster.local.', 8080, backend],
  ['backend.svc', 8080, backend],
  // An address in capitals, and one with a dot.
  ['orders', 443, { to: 'service', address: 'Orders', port: 443 }],
  ['orders.v2', 5432, { to: 'service', address: 'orders.v2', port: 5432 }],
  ['orders.v2.shop', 5432, { to: 'service', address: 'orders.v2', port: 5432 }],
  // A namespace without a site of the network, or no service of it.
  ['backend.elsewhere', 8080, host('backend.elsewhere', 8080)],
  ['backend.elsewhere.svc.cluster.local', 8080, host('backend.elsewhere.svc.cluster.local', 8080)],
  ['frontend.shop', 80, host('frontend.shop', 80)],
  ['pod-0.backend.shop', 8080, host('pod-0.backend.shop', 8080)],
  ['shop', 80, host('shop', 80)],
  ['backend.shop.svc.example.com', 8080, host('backend.shop.svc.example.com', 8080)],
  ['backend.shop.cluster.local', 8080, host('backend.shop.cluster.local', 8080)],
  // Everything else.
  ['example.com', 443, host('example.com', 443)],
  ['Example.COM.', 443, host('example.com', 443)],
  ['_service.example.com', 443, host('_service.example.com', 443)],
  // This computer is never the network's.
  ['localhost', 80, host('localhost', 80)],
  ['LOCALHOST.', 80, host('localhost', 80)],
  ['backend.localhost', 80, host('localhost', 80)],
  ['127.0.0.1', 80, host('127.0.0.1', 80)],
  ['::1', 80, host('::1', 80)],
  ['10.96.0.10', 8080, host('10.96.0.10', 8080)],
  ['2001:db8::1', 8080, host('2001:db8::1', 8080)],
  // A port that is not the service's.
  ['backend', 80, nowhere('backend has the port 8080, not 80.')],
  ['backend.shop.svc', 443, nowhere('backend has the port 8080, not 443.')],
  ['orders', 22, nowhere('Orders has the ports 80, 443 and 5432, not 22.')],
  ['clock', 123, nowhere('clock speaks udp, which goes through no proxy.')],
  // No names.
  ['', 80, nowhere('"" is no name of a host.')],
  ['.', 80, nowhere('"." is no name of a host.')],
  ['back end', 80, nowhere('"back end" is no name of a host.')],
  ['back\u0000end', 80, nowhere('"back\\u0000end" is no name of a host.')],
  ['x'.repeat(300), 80, nowhere(`"${'x'.repeat(57)}..." is no name of a host.`)],
];

describe('through a proxy', () => {
  for (const [asked, port, leadsTo] of TABLE)
    test(`${JSON.stringify(asked.slice(0, 50))}:${port} leads to ${Object.values(leadsTo).slice(0, 2).join(' ')}`, () =>
      assert.deepEqual(destinationOf(asked, port, names), leadsTo));
});
