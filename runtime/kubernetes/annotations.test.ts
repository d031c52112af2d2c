import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotationsFor, guessProtocol, isServiceName, ownPorts, readExposure } from './annotations.ts';
import type { Exposure, WorkloadKind } from './types.ts';

const meta = (annotations: Record<string, string>) => ({ name: 'backend', annotations });
const tcp = (more: Record<string, string> = {}) => meta({ 'skupper.io/proxy': 'tcp', ...more });
const http8080 = [{ port: 8080, name: 'http' }];

const cases: [
  string,
  WorkloadKind,
  Parameters<typeof readExposure>[1],
  Parameters<typeof readExposure>[2],
  Partial<Exposure> | RegExp | undefined,
][] = [
  ['no annotation', 'Deployment', meta({}), http8080, undefined],
  ['no annotations at all', 'Deployment', { name: 'backend' }, http8080, undefined],
  ['an address alone exposes nothing', 'Service', meta({ 'skupper.io/address': 'b' }), http8080, undefined],
  [
    'the object gives name and ports',
    'Deployment',
    tcp(),
    http8080,
    { address: 'backend', type: 'tcp', distribution: 'balanced', ports: [{ port: 8080, targetPort: 8080 }] },
  ],
  ['a Service gives its ports', 'Service', tcp(), [{ port: 80, targetPort: 8080 }], { ports: [{ port: 80, targetPort: 8080 }] }],
  ['without a target port it is the same', 'Service', tcp(), [{ port: 80 }], { ports: [{ port: 80, targetPort: 80 }] }],
  ['a number as text', 'Service', tcp(), [{ port: 80, targetPort: '8080' }], { ports: [{ port: 80, targetPort: 8080 }] }],
  [
    'a named target port stays a name',
    'Service',
    tcp(),
    [{ port: 80, targetPort: 'web' }],
    { ports: [{ port: 80, targetPort: 80, targetName: 'web' }] },
  ],
  ['another address', 'Deployment', tcp({ 'skupper.io/address': 'orders' }), http8080, { address: 'orders' }],
  ['one port', 'Deployment', tcp({ 'skupper.io/port': '9090' }), http8080, { ports: [{ port: 9090, targetPort: 9090 }] }],
  [
    'pairs of ports',
    'Deployment',
    tcp({ 'skupper.io/port': '80:8080, 443:8443' }),
    [],
    {
      ports: [
        { port: 80, targetPort: 8080 },
        { port: 443, targetPort: 8443 },
      ],
    },
  ],
  [
    "a Service's own port stands for its target",
    'Service',
    tcp({ 'skupper.io/port': '80' }),
    [{ port: 80, targetPort: 8080 }],
    { ports: [{ port: 80, targetPort: 8080 }] },
  ],
  [
    'a pair leads to the Service port, or to the port of the pods',
    'Service',
    tcp({ 'skupper.io/port': '1:80,2:8080' }),
    [{ port: 80, targetPort: 8080 }],
    {
      ports: [
        { port: 1, targetPort: 8080 },
        { port: 2, targetPort: 8080 },
      ],
    },
  ],
  ['another distribution', 'Service', tcp({ 'skupper.io/distribution': 'closest' }), http8080, { distribution: 'closest' }],
  ['http is read as http', 'Service', meta({ 'skupper.io/proxy': 'http' }), http8080, { type: 'http' }],
  [
    'udp takes the UDP ports',
    'Service',
    meta({ 'skupper.io/proxy': 'udp' }),
    [{ port: 80 }, { port: 53, protocol: 'UDP' }],
    { ports: [{ port: 53, targetPort: 53 }] },
  ],
  ['tcp leaves the UDP ports', 'Service', tcp(), [{ port: 53, protocol: 'UDP' }], /names no TCP port.*skupper\.io\/port/],
  ['no port known', 'Deployment', tcp(), [], /No container of it names a TCP port/],
  [
    'an unknown protocol',
    'Service',
    meta({ 'skupper.io/proxy': 'htp' }),
    http8080,
    /skupper\.io\/proxy is "htp"; it must be one of tcp/,
  ],
  ['an unknown distribution', 'Service', tcp({ 'skupper.io/distribution': 'far' }), http8080, /distribution is "far"/],
  [
    'answers put together',
    'Service',
    meta({ 'skupper.io/proxy': 'http', 'skupper.io/distribution': 'multicast', 'skupper.io/aggregate': 'json' }),
    http8080,
    { distribution: 'multicast', aggregate: 'json' },
  ],
  [
    'answers of tcp put together',
    'Service',
    tcp({ 'skupper.io/aggregate': 'json' }),
    http8080,
    /aggregate: answers are put together only/,
  ],
  [
    'answers put together in another way',
    'Service',
    tcp({ 'skupper.io/aggregate': 'xml' }),
    http8080,
    /aggregate is "xml"; it must be one of json/,
  ],
  ['an empty address', 'Service', tcp({ 'skupper.io/address': '' }), http8080, /address is empty/],
  ['an address with a space', 'Service', tcp({ 'skupper.io/address': 'a b' }), http8080, /address is "a b"/],
  ['a port that is none', 'Service', tcp({ 'skupper.io/port': 'http' }), http8080, /port is "http"; write a port/],
  ['a port that is too large', 'Service', tcp({ 'skupper.io/port': '70000' }), http8080, /"70000"/],
  ['a port named twice', 'Service', tcp({ 'skupper.io/port': '80:1,80:2' }), http8080, /names port 80 twice/],
  ['an empty list', 'Service', tcp({ 'skupper.io/port': '' }), http8080, /port is ""/],
];

for (const [name, kind, metadata, ports, expected] of cases)
  test(`readExposure: ${name}`, () => {
    const read = readExposure(kind, metadata, ports);
    if (expected === undefined) assert.equal(read, undefined);
    else if (expected instanceof RegExp) assert.match(typeof read === 'string' ? read : 'no sentence', expected);
    else assert.partialDeepStrictEqual(read, expected);
  });

test('annotationsFor writes no more than is needed, and readExposure reads it back', () => {
  const exposure: Exposure = {
    address: 'backend',
    type: 'http',
    distribution: 'balanced',
    ports: [{ port: 8080, targetPort: 8080 }],
  };
  assert.deepEqual(annotationsFor(exposure, 'backend'), { 'skupper.io/proxy': 'http', 'skupper.io/port': '8080' });
  assert.deepEqual(readExposure('Deployment', { name: 'backend', annotations: annotationsFor(exposure, 'backend') }), exposure);
  const full: Exposure = {
    address: 'orders',
    type: 'tcp',
    distribution: 'closest',
    ports: [
      { port: 80, targetPort: 8080 },
      { port: 1, targetPort: 1 },
    ],
  };
  assert.deepEqual(annotationsFor(full, 'backend'), {
    'skupper.io/proxy': 'tcp',
    'skupper.io/address': 'orders',
    'skupper.io/port': '80:8080,1',
    'skupper.io/distribution': 'closest',
  });
  assert.deepEqual(readExposure('Deployment', { name: 'backend', annotations: annotationsFor(full, 'backend') }), full);
});

test('ownPorts finds the ports of any manifest and never throws', () => {
  const deployment = { spec: { template: { spec: { containers: [{ ports: [{ containerPort: 8080, name: 'http' }] }, {}] } } } };
  assert.deepEqual(ownPorts('Deployment', deployment), [{ port: 8080, name: 'http' }]);
  const service = { spec: { ports: [{ port: 80, targetPort: 'http', appProtocol: 'http' }, { port: 'x' }, null] } };
  assert.deepEqual(ownPorts('Service', service), [{ port: 80, targetPort: 'http', appProtocol: 'http' }]);
  for (const odd of [undefined, null, 1, {}, { spec: { ports: 'none' } }, { spec: { template: null } }])
    for (const kind of ['Service', 'StatefulSet'] as const) assert.deepEqual(ownPorts(kind, odd), []);
});

test('guessProtocol goes by transport, appProtocol, name and number', () => {
  assert.equal(guessProtocol({ port: 8080 }), 'http');
  assert.equal(guessProtocol({ port: 5432 }), 'tcp');
  assert.equal(guessProtocol({ port: 5672 }), 'amqp');
  assert.equal(guessProtocol({ port: 50051 }), 'http2');
  assert.equal(guessProtocol({ port: 53, protocol: 'UDP' }), 'udp');
  assert.equal(guessProtocol({ port: 9999, name: 'http-web' }), 'http');
  assert.equal(guessProtocol({ port: 9999, name: 'grpc' }), 'http2');
  assert.equal(guessProtocol({ port: 9999, appProtocol: 'kubernetes.io/h2c' }), 'http2');
  assert.equal(guessProtocol({ port: 8080, name: 'https' }), 'tcp');
  assert.equal(guessProtocol({ port: 8080, name: 'httpd' }), 'http');
  assert.equal(guessProtocol({ port: 9999, name: 'httpd' }), 'tcp');
});

test('what a Service can be called', () => {
  const names = ['a', 'a-1', 'A', '1a', 'a-', 'a.b', 'a_b', '', 'x'.repeat(63), 'x'.repeat(64)];
  assert.deepEqual(names.filter(isServiceName), ['a', 'a-1', 'x'.repeat(63)]);
});
