import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editAnnotations } from './edit-annotations.ts';
import { findingsOf } from './findings.ts';
import { readManifest } from './workloads.ts';

const deployment = (annotations: string, ports = '{containerPort: 8080}', name = 'backend') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n  annotations: {${annotations}}\nspec: {template: {spec: {containers: [{ports: [${ports}]}]}}}\n`;
const service = (annotations: string, ports = '{port: 80, targetPort: 8080}') =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: backend\n  annotations: {${annotations}}\nspec: {ports: [${ports}]}\n`;
/** With ports in a form that templates write. */
const templated = (ports: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: backend\n  annotations: {skupper.io/proxy: tcp}\nspec:\n  template:\n    spec:\n      containers:\n      - ports: ${ports.startsWith('-') ? `\n        ${ports}` : ports}\n`;
const TCP = 'skupper.io/proxy: tcp';
const HTTP = 'skupper.io/proxy: http';
const port = (value: string) => `${TCP}, skupper.io/port: ${value}`;

const found = (text: string) => findingsOf(text, readManifest(text).workloads);
/** Each as `what it underlines ⚠ message → fixes`. */
const told = (text: string) =>
  found(text).map(
    ({ start, end, message, fixes }) => `${text.slice(start, end)} ⚠ ${message} → ${fixes.map(({ title }) => title).join(' | ')}`,
  );

describe('a manifest', () => {
  const fine: [string, string][] = [
    ['that exposes nothing', deployment('skupper.io/port: "9999", owner: ada')],
    ['with a port of its containers', deployment(port('"8080"'))],
    ['with a pair that leads to one', deployment(port('"80:8080"'))],
    ['whose containers name no ports, which they need not', deployment(port('"9999"'), '')],
    ['with a port of a Service', service(port('"80"'))],
    ["with a Service's target port", service(port('"8080"'))],
    ['with a pair to the target port', service(port('"9000:8080"'))],
    ['with a pair to what a name stands for', service(port('"9000:8080"'), '{port: 80, targetPort: web}')],
    ['with its own address', service(`${TCP}, skupper.io/address: orders-v2`)],
    ['with each protocol', ['http', 'http2', 'amqp'].map((type) => deployment(`skupper.io/proxy: ${type}`)).join('---\n')],
    ['with datagrams', service('skupper.io/proxy: udp', '{port: 53, protocol: UDP}')],
    ['with both distributions', deployment(`${TCP}, skupper.io/distribution: closest`)],
    ['with TLS', service(`${TCP}, skupper.io/tls-trust: ca, skupper.io/tls-client-cert: "true", skupper.io/tls-cert: keys`)],
    ['with TLS of a workload', deployment(`${TCP}, skupper.io/tls: "true", skupper.io/tls-server-name: db`)],
    ['whose name a template fills in', deployment(TCP, undefined, '"{{ .Release.Name }}-backend"')],
    ['whose annotations a template fills in', deployment('skupper.io/proxy: "{{ .Values.proxy }}", skupper.io/port: "${PORT}"')],
    ['whose ports a template fills in', templated('- containerPort: {{ .Values.port }}')],
    ['whose ports a template writes', templated('{{ .Values.ports }}')],
    ['that is still being written', deployment('skupper.io/proxy: ')],
  ];
  for (const [name, text] of fine) test(`${name} is fine`, () => assert.deepEqual(told(text), []));

  test('with a port of a sidecar is fine', () => {
    const spec =
      '{template: {spec: {initContainers: [{ports: [{containerPort: 9999}]}], containers: [{ports: [{containerPort: 1}]}]}}}';
    const text = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, annotations: {${port('"9999"')}}}\nspec: ${spec}\n`;
    assert.deepEqual(told(text), []);
  });

  const wrong: [string, string, string[]][] = [
    [
      'a port that no container listens on',
      deployment(port('"9999"')),
      ['9999 ⚠ No container of backend listens on 9999: its port is 8080. → Use 8080'],
    ],
    [
      'one wrong port of several',
      deployment(port('"80:8080, 443:9999"'), '{containerPort: 8080}, {containerPort: 8443}'),
      ['443:9999 ⚠ No container of backend listens on 9999: its ports are 8080, 8443. → Use 80:8080,443:8080 | Use 80:8080,443:8443'],
    ],
    [
      'a port that is named already is no fix',
      deployment(port('"8080,9999"'), '{containerPort: 8080}, {containerPort: 8443}'),
      ['9999 ⚠ No container of backend listens on 9999: its ports are 8080, 8443. → Use 8080,8443'],
    ],
    [
      'a port that a Service does not have',
      service(port('"9999"'), '{port: 80, targetPort: web}'),
      ['9999 ⚠ Service backend has no port 9999: its port is 80. → Use 80'],
    ],
    [
      'a pair to a port that a Service does not lead to',
      service(port('"80:9999"')),
      ['80:9999 ⚠ Service backend has no port 9999: its port is 8080. → Use 80:8080'],
    ],
    [
      'a port list that cannot be read',
      deployment(port('"80;90"')),
      ['"80;90" ⚠ skupper.io/port is "80;90"; write a port such as "8080", or pairs of service and pod port such as "80:8080,443:8443". → Use 8080'],
    ],
    [
      'a port that is a number in YAML',
      deployment(port('8080')),
      ['8080 ⚠ skupper.io/port must be a text: Kubernetes refuses 8080 without quotes. → Write "8080"'],
    ],
    ['no port at all', deployment(TCP, ''), ['tcp ⚠ Deployment backend names no TCP port: say which one with skupper.io/port. → ']],
    [
      'a protocol with a slip',
      deployment('skupper.io/proxy: htpp2'),
      ['htpp2 ⚠ There is no protocol "htpp2": use tcp, http, http2, udp or amqp. → Use http2'],
    ],
    [
      'a protocol that goes by another name',
      deployment('skupper.io/proxy: GRPC'),
      ['GRPC ⚠ There is no protocol "GRPC": use tcp, http, http2, udp or amqp. → Use http2'],
    ],
    [
      'a protocol like no other',
      deployment('skupper.io/proxy: smtp-over-x'),
      ['smtp-over-x ⚠ There is no protocol "smtp-over-x": use tcp, http, http2, udp or amqp. → Use tcp | Use http | Use http2 | Use udp | Use amqp'],
    ],
    [
      'answers that nobody waits for',
      deployment(`${HTTP}, skupper.io/aggregate: json`),
      [
        'json ⚠ Answers are put together only where http goes to all; use type http with distribution multicast. → Use multicast',
      ],
    ],
    [
      'an aggregate with a slip',
      deployment(`${HTTP}, skupper.io/distribution: multicast, skupper.io/aggregate: jsn`),
      ['jsn ⚠ Answers cannot be put together as "jsn": use json or multipart. → Use json'],
    ],
    [
      'a share of connections',
      deployment(`${TCP}, skupper.io/weight: "3"`),
      [
        '"3" ⚠ skupper.io/weight is for requests: for type http and http2, not for tcp. → Remove skupper.io/weight',
      ],
    ],
    [
      'a distribution with a slip',
      deployment(`${TCP}, skupper.io/distribution: close`),
      ['close ⚠ There is no distribution "close": use balanced, closest or multicast. → Use closest'],
    ],
    [
      'multicast',
      deployment(`${TCP}, skupper.io/distribution: multicast`),
      ['multicast ⚠ Multicast is for udp and http, not for tcp; use balanced or closest. → Use balanced | Use closest'],
    ],
    [
      'a truth value that YAML reads as one',
      service(`${TCP}, skupper.io/tls: true`),
      ['true ⚠ skupper.io/tls must be a text: Kubernetes refuses true without quotes. → Write "true"'],
    ],
    [
      'TLS with a slip',
      service(`${TCP}, skupper.io/tls: unsecure`),
      ['unsecure ⚠ skupper.io/tls is "unsecure"; it must be one of true, insecure. → Use insecure'],
    ],
    [
      'no name of a Secret',
      service(`${TCP}, skupper.io/tls-cert: ca.crt/key`),
      ['ca.crt/key ⚠ skupper.io/tls-cert is "ca.crt/key"; it must be the name of a Secret. → '],
    ],
    [
      'TLS of udp',
      service('skupper.io/proxy: udp, skupper.io/tls-cert: keys', '{port: 53, protocol: UDP}'),
      ['keys ⚠ skupper.io/tls-cert is not for udp; remove it. → Remove skupper.io/tls-cert'],
    ],
    [
      'a name on certificates, without TLS',
      service(`${TCP}, skupper.io/tls-server-name: db`),
      ['db ⚠ skupper.io/tls-server-name is a part of TLS with servers; add skupper.io/tls-trust, or skupper.io/tls: "true". → Add skupper.io/tls: "true"'],
    ],
    [
      'a certificate to show, of no Secret',
      service(`${TCP}, skupper.io/tls: insecure, skupper.io/tls-client-cert: "true"`),
      ['"true" ⚠ skupper.io/tls-client-cert needs skupper.io/tls-trust: the Secret that has the certificate. → Remove skupper.io/tls-client-cert'],
    ],
    [
      'pods that no certificate could be for',
      deployment(`${TCP}, skupper.io/tls-trust: ca`),
      ['ca ⚠ skupper.io/tls-trust: pods of a Deployment have no name that a certificate could be for; say which with skupper.io/tls-server-name, or annotate their Service. → Add skupper.io/tls-server-name: "backend"'],
    ],
    [
      'an address that no Service can have',
      deployment(`${TCP}, skupper.io/address: Back_End/v2`),
      ['Back_End/v2 ⚠ No Service can be called "Back_End/v2": use at most 63 lower case letters, digits and "-", first a letter. → Call it back-end-v2'],
    ],
    [
      'a name that no Service can have',
      deployment(TCP, '{containerPort: 1}', '7.backend'),
      ['tcp ⚠ No Service can be called "7.backend": use at most 63 lower case letters, digits and "-", first a letter. → Call it backend'],
    ],
  ]; // prettier-ignore
  for (const [name, text, messages] of wrong) test(`with ${name} is told`, () => assert.deepEqual(told(text), messages));

  test('is right after its first fix', () => {
    for (const [name, text] of wrong) {
      const [finding] = found(text);
      const [fix] = finding!.fixes;
      if (!fix) continue;
      const edit = editAnnotations(text, finding!.workload, fix.annotations);
      assert.deepEqual(told(text.slice(0, edit.start) + edit.text + text.slice(edit.end)), [], name);
    }
  });

  test('has its findings where they are, in any of its documents', () => {
    const text = `${deployment(port('"8080"'))}---\n${service(port("'9999'"))}`;
    const [finding, ...others] = found(text);
    assert.deepEqual([others.length, finding?.workload, finding?.key], [0, { document: 1 }, 'skupper.io/port']);
    assert.equal(finding?.start, text.indexOf('9999'));
  });
});
