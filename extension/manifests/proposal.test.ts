import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposureAnnotations, propose } from './proposal.ts';
import { readManifest } from './workloads.ts';

const service = (ports: string, annotations = '{}') =>
  readManifest(`{apiVersion: v1, kind: Service, metadata: {name: orders, annotations: ${annotations}}, spec: {ports: ${ports}}}`)
    .workloads[0]!;

test('the protocol is guessed, the address is the name', () => {
  const { address, types, reason, ports } = propose(service('[{port: 80, name: web}, {port: 80, name: again}]'));
  assert.deepEqual([address, types[0], reason, ports], ['orders', 'http', 'as port 80 (web) suggests', [80]]);
  assert.equal(propose(service('[{port: 5432}]')).types[0], 'tcp');
});

test('datagrams are proposed where there is nothing else', () => {
  const both = propose(service('[{port: 53, protocol: UDP}, {port: 53}, {port: 80}]'));
  assert.deepEqual([both.types[0], both.ports], ['tcp', [53, 80]]);
  const only = propose(service('[{port: 53, protocol: UDP}]'));
  assert.deepEqual([only.types[0], only.ports], ['udp', [53]]);
});

test('an object without ports must be asked for one', () => {
  assert.deepEqual(propose(service('[]')).ports, []);
  assert.deepEqual(exposureAnnotations(service('[]'), { address: 'orders', type: 'tcp', port: 5432 }), {
    'skupper.io/proxy': 'tcp',
    'skupper.io/port': '5432',
  });
});

test('TLS stays, as far as the protocol has it', () => {
  const old = service('[{port: 443}]', '{skupper.io/proxy: http, skupper.io/aggregate: json, skupper.io/tls-trust: ca}');
  assert.deepEqual(exposureAnnotations(old, { address: 'orders', type: 'tcp' }), {
    'skupper.io/proxy': 'tcp',
    'skupper.io/aggregate': null,
  });
  const udp = exposureAnnotations(old, { address: 'orders', type: 'udp' });
  assert.equal(udp['skupper.io/tls-trust'], null);
});

test('which requests it takes stays, as far as the protocol has requests', () => {
  const old = service('[{port: 80}]', '{skupper.io/proxy: http, skupper.io/path-prefix: /v2, skupper.io/weight: "3"}');
  assert.deepEqual(exposureAnnotations(old, { address: 'orders', type: 'http2' }), { 'skupper.io/proxy': 'http2' });
  assert.deepEqual(exposureAnnotations(old, { address: 'orders', type: 'tcp' }), {
    'skupper.io/proxy': 'tcp',
    'skupper.io/path-prefix': null,
    'skupper.io/weight': null,
  });
});

test('only what is needed is written, and what contradicts it goes', () => {
  const old = service('[{port: 80}]', '{skupper.io/address: old, mine: x}');
  assert.deepEqual(exposureAnnotations(old, { address: 'orders', type: 'http' }), {
    'skupper.io/proxy': 'http',
    'skupper.io/address': null,
  });
  assert.deepEqual(exposureAnnotations(old, { address: 'shop', type: 'http' }), {
    'skupper.io/proxy': 'http',
    'skupper.io/address': 'shop',
  });
});
