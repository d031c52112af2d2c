import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../views/networks.ts';
import { lensesOf } from './lenses.ts';
import { readManifest } from './workloads.ts';

const manifest = (annotations: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: backend\n  annotations: {${annotations}}\nspec: {template: {spec: {containers: [{ports: [{containerPort: 8080}]}]}}}\n`;
const titles = (annotations: string, service?: Partial<Service>) =>
  lensesOf(readManifest(manifest(annotations)).workloads, () => service as Service | undefined).map(
    ({ line, title, action }) => `${line} ${action}: ${title}`,
  );
const at = (siteId: string) => ({ siteId, site: siteId, router: siteId, target: 'pod', port: 8080 });

test('what is not exposed can be', () => assert.deepEqual(titles('other: x'), ['1 expose: ⊕ Expose on network…']));

test('what is exposed shows its address, where it is offered, and what can be done', () => {
  assert.deepEqual(titles('skupper.io/proxy: tcp', { destinations: [at('w'), at('w'), at('e')], url: 'http://localhost:8080' }), [
    '1 explain: ● backend · tcp 8080 · 2 sites', '1 open: Open', '1 explain: Explain', '1 stop: Stop exposing',
  ]); // prettier-ignore
});

test('what is offered nowhere yet says so', () => {
  assert.deepEqual(titles('skupper.io/proxy: http, skupper.io/address: api, skupper.io/port: "80:8080"'), [
    '1 explain: ○ api · http 80 · not offered yet', '1 explain: Explain', '1 stop: Stop exposing',
  ]); // prettier-ignore
});

test('annotations that make no sense are told', () => {
  assert.deepEqual(titles('skupper.io/proxy: smtp'), [
    '1 none: ⚠ skupper.io/proxy is "smtp"; it must be one of tcp, http, http2, udp, amqp.', '1 stop: Stop exposing',
  ]); // prettier-ignore
});

test('what a template fills in is not judged', () => {
  const template = ['1 none: ○ exposed by a template', '1 stop: Stop exposing'];
  assert.deepEqual(titles('skupper.io/proxy: "{{ .Values.proxy }}"'), template);
  assert.deepEqual(titles('skupper.io/proxy: tcp, skupper.io/port: "${PORT}"'), template);
});

test('where no network is known, nothing is said of it', () => {
  const [first] = lensesOf(readManifest(manifest('skupper.io/proxy: tcp')).workloads);
  assert.equal(first?.title, '○ backend · tcp 8080');
});
