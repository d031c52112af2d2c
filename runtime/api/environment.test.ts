import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proxyEnvironment, serviceEnvironment } from './environment.ts';
import type { ListenerStatus, ServiceStatus } from './types.ts';

const listener = (address: string, servicePort: number, port: number, more: Partial<ListenerStatus> = {}): ListenerStatus => ({
  name: address,
  address,
  type: 'tcp',
  host: '127.0.0.1',
  port,
  servicePort,
  state: 'open',
  source: 'auto',
  connections: 0,
  ...more,
});
const service = ({ address }: ListenerStatus): ServiceStatus => ({
  address,
  type: 'tcp',
  distribution: 'balanced',
  ports: [],
  destinations: [],
});
const variables = (...listeners: ListenerStatus[]) => serviceEnvironment({ services: listeners.map(service), listeners });

describe('the environment of services', () => {
  for (const [address, prefix] of [
    ['backend', 'BACKEND'],
    ['orders-db', 'ORDERS_DB'],
    ['orders.v2', 'ORDERS_V2'],
    ['team/orders:a@b', 'TEAM_ORDERS_A_B'],
    ['already_Named', 'ALREADY_NAMED'],
    ['1password', '_1PASSWORD'],
  ] as const)
    test(`of ${address}`, () =>
      assert.deepEqual(variables(listener(address, 80, 8080)), {
        [`${prefix}_SERVICE_HOST`]: '127.0.0.1',
        [`${prefix}_SERVICE_PORT`]: '8080',
      }));

  test('has every port of a service, and the lowest as its own', () =>
    assert.deepEqual(variables(listener('web', 443, 8443), listener('web', 80, 8080)), {
      WEB_SERVICE_HOST: '127.0.0.1',
      WEB_SERVICE_PORT: '8080',
      WEB_SERVICE_PORT_80: '8080',
      WEB_SERVICE_PORT_443: '8443',
    }));

  test('takes the first of several listeners for one port', () =>
    assert.deepEqual(variables(listener('web', 80, 8080), listener('web', 80, 9090)), {
      WEB_SERVICE_HOST: '127.0.0.1',
      WEB_SERVICE_PORT: '8080',
    }));

  test('has nothing of a port that is not open, nor of what is no service', () => {
    const closed = listener('a', 80, 80, { state: 'closed' });
    const failed = listener('b', 80, 80, { state: 'failed' });
    assert.deepEqual(variables(closed, failed), {});
    assert.deepEqual(serviceEnvironment({ services: [], listeners: [listener('c', 80, 80)] }), {});
  });

  test('gives names that two addresses would make to the first in the alphabet', () =>
    assert.deepEqual(variables(listener('a.b', 80, 2), listener('a-b', 80, 1)), {
      A_B_SERVICE_HOST: '127.0.0.1',
      A_B_SERVICE_PORT: '1',
    }));

  test('leads to loopback where a listener listens everywhere', () => {
    assert.equal(variables(listener('a', 80, 1, { host: '0.0.0.0' }))['A_SERVICE_HOST'], '127.0.0.1');
    assert.equal(variables(listener('a', 80, 1, { host: '::' }))['A_SERVICE_HOST'], '::1');
    assert.equal(variables(listener('a', 80, 1, { host: '192.0.2.1' }))['A_SERVICE_HOST'], '192.0.2.1');
  });
});

test('the environment of a proxy is there in both cases, and leaves out this computer', () =>
  assert.deepEqual(proxyEnvironment({ host: '127.0.0.1', port: 1080 }), {
    http_proxy: 'http://127.0.0.1:1080',
    https_proxy: 'http://127.0.0.1:1080',
    all_proxy: 'socks5h://127.0.0.1:1080',
    no_proxy: 'localhost,127.0.0.1,::1',
    HTTP_PROXY: 'http://127.0.0.1:1080',
    HTTPS_PROXY: 'http://127.0.0.1:1080',
    ALL_PROXY: 'socks5h://127.0.0.1:1080',
    NO_PROXY: 'localhost,127.0.0.1,::1',
  }));
