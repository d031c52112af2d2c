import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_MANIFEST_LENGTH, readManifest } from './workloads.ts';

const deployment = (name: string) => `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n`;
const names = (text: string) => readManifest(text).workloads.map(({ kind, name, kindLine }) => `${kindLine} ${kind} ${name}`);

test('every document and list item that can be exposed is found, at its kind', () => {
  const text = `# shop\n${deployment('a')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\n\napiVersion: v1\nmetadata:\n  name: b\nkind: Service\n---\napiVersion: v1\nkind: List\nitems:\n  - {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}}\n`;
  assert.deepEqual(names(text), ['2 Deployment a', '14 Service b', '19 DaemonSet d']);
});

test('a document that is not valid YAML hides no other', () => {
  const manifest = readManifest(`${deployment('a')}---\nkind: Service\n  bad: [indent\n---\n${deployment('b')}`);
  assert.deepEqual(
    manifest.workloads.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.equal(manifest.broken.length, 1);
  assert.ok(manifest.broken[0]!.firstLine >= 4 && manifest.broken[0]!.lastLine <= 8);
  assert.match(manifest.broken[0]!.message, /^Line \d+ is not valid YAML: /);
});

test('what is not for Caravan has no lens', () => {
  for (const text of [
    '', '---', 'just text', '- a\n- b', 'kind: Deployment', 'kind: Deployment\nmetadata:', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {generateName: x}',
    'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}', 'apiVersion: v1\nkind: List\nitems: 7', '{{ if .Values.x }}\nkind: Service\n{{ end }}',
    'x'.repeat(MAX_MANIFEST_LENGTH + 1), '? {a: b}\n: c', '&a [*a]', 'a: *gone',
  ]) assert.deepEqual(names(text), [], text.slice(0, 40)); // prettier-ignore
});

test('annotations, namespace and ports are read', () => {
  const [workload] = readManifest(
    `apiVersion: v1\r\nkind: Service\r\nmetadata:\r\n  name: b\r\n  namespace: shop\r\n  annotations: {skupper.io/port: 8080, other: }\r\nspec:\r\n  ports:\r\n  - {port: 80, name: web, targetPort: http}\r\n`,
  ).workloads;
  assert.deepEqual(workload?.annotations, { 'skupper.io/port': '8080' });
  assert.equal(workload?.namespace, 'shop');
  assert.deepEqual(workload?.ports, [{ port: 80, name: 'web', targetPort: 'http' }]);
});
