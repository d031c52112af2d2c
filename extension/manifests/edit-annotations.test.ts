import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { editAnnotations } from './edit-annotations.ts';
import { readManifest } from './workloads.ts';

const head = 'apiVersion: apps/v1\nkind: Deployment\n';
const spec = 'spec:\n  replicas: 2 # enough\n';
const EXPOSE = { 'skupper.io/proxy': 'tcp', 'skupper.io/port': '80:8080' };
const HIDE = { 'skupper.io/proxy': null, 'skupper.io/address': null, 'skupper.io/port': null };

function edited(text: string, annotations: Record<string, string | null>, index = 0): string {
  const edit = editAnnotations(text, readManifest(text).workloads[index]!, annotations);
  return text.slice(0, edit.start) + edit.text + text.slice(edit.end);
}

/** Each case: a text without the annotations, and the same with them. */
const cases: { name: string; without: string; with: string; oneWay?: true; index?: number }[] = [
  {
    name: 'metadata without annotations',
    without: `${head}metadata:\n  name: backend # the API\n  labels:\n    app: x\n${spec}`,
    with: `${head}metadata:\n  name: backend # the API\n  annotations:\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n  labels:\n    app: x\n${spec}`,
  },
  {
    name: 'metadata whose last line ends the file without a newline',
    without: `${head}metadata:\n  name: backend`,
    with: `${head}metadata:\n  name: backend\n  annotations:\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"`,
    oneWay: true,
  },
  {
    name: 'annotations of others, with comments',
    without: `${head}metadata:\n  name: backend\n  annotations:\n    # whom to call\n    owner: ada # at night too\n  # labels follow\n  labels: {}\n${spec}`,
    with: `${head}metadata:\n  name: backend\n  annotations:\n    # whom to call\n    owner: ada # at night too\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n  # labels follow\n  labels: {}\n${spec}`,
  },
  {
    name: 'annotations that end with a block scalar',
    without: `${head}metadata:\n  annotations:\n    note: |\n      two\n      lines\n  name: backend\n${spec}`,
    with: `${head}metadata:\n  annotations:\n    note: |\n      two\n      lines\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n  name: backend\n${spec}`,
  },
  {
    name: 'four spaces of indent',
    without: `${head}metadata:\n    name: backend\n${spec}`,
    with: `${head}metadata:\n    name: backend\n    annotations:\n        skupper.io/proxy: tcp\n        skupper.io/port: "80:8080"\n${spec}`,
  },
  {
    name: 'annotations without a value',
    without: `${head}metadata:\n  name: backend\n  annotations: # none yet\n  labels: {}\n${spec}`,
    with: `${head}metadata:\n  name: backend\n  annotations: # none yet\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n  labels: {}\n${spec}`,
    oneWay: true,
  },
  {
    name: 'an empty flow map',
    without: `${head}metadata:\n  name: backend\n  annotations: {} # none yet\n${spec}`,
    with: `${head}metadata:\n  name: backend\n  annotations: # none yet\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n${spec}`,
    oneWay: true,
  },
  {
    name: 'null annotations',
    without: `${head}metadata:\n  name: backend\n  annotations: null\n${spec}`,
    with: `${head}metadata:\n  name: backend\n  annotations:\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n${spec}`,
    oneWay: true,
  },
  {
    name: 'a flow map',
    without: `${head}metadata:\n  name: backend\n  annotations: { owner: ada }\n${spec}`,
    with: `${head}metadata:\n  name: backend\n  annotations: { owner: ada, skupper.io/proxy: tcp, skupper.io/port: "80:8080" }\n${spec}`,
  },
  {
    name: 'metadata as a flow map',
    without: `${head}metadata: {name: backend}\n${spec}`,
    with: `${head}metadata: {name: backend, annotations: {skupper.io/proxy: tcp, skupper.io/port: "80:8080"}}\n${spec}`,
    oneWay: true,
  },
  {
    name: 'JSON',
    without: '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "backend"}}',
    with: '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "backend", "annotations": {"skupper.io/proxy": "tcp", "skupper.io/port": "80:8080"}}}',
    oneWay: true,
  },
  {
    name: 'the second of two documents',
    without: `${head}metadata:\n  name: a\n---\n# the second\n${head}metadata:\n  name: b\n---\n${head}metadata:\n  name: c\n`,
    with: `${head}metadata:\n  name: a\n---\n# the second\n${head}metadata:\n  name: b\n  annotations:\n    skupper.io/proxy: tcp\n    skupper.io/port: "80:8080"\n---\n${head}metadata:\n  name: c\n`,
    index: 1,
  },
  {
    name: 'an item of a List',
    without:
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n- kind: Service\n  apiVersion: v1\n  metadata:\n    name: b\n',
    with: 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n- kind: Service\n  apiVersion: v1\n  metadata:\n    name: b\n    annotations:\n      skupper.io/proxy: tcp\n      skupper.io/port: "80:8080"\n',
    index: 1,
  },
];

for (const [ends, convert] of [
  ['LF', (s: string) => s],
  ['CRLF', (s: string) => s.replaceAll('\n', '\r\n')],
] as const) {
  describe(`annotations in a manifest with ${ends}`, () => {
    for (const { name, without, with: exposed, oneWay, index } of cases) {
      test(`are added: ${name}`, () => {
        const result = edited(convert(without), EXPOSE, index);
        assert.equal(result, convert(exposed));
        for (const document of parseAllDocuments(result)) assert.deepEqual(document.errors, []);
        assert.equal(readManifest(result).workloads[index ?? 0]?.annotations['skupper.io/port'], '80:8080');
        assert.equal(edited(result, EXPOSE, index), result, 'a second time changes nothing');
      });
      test(`are removed: ${name}`, () => {
        const result = edited(convert(exposed), HIDE, index);
        if (!oneWay) assert.equal(result, convert(without));
        assert.deepEqual(
          Object.keys(readManifest(result).workloads[index ?? 0]!.annotations).filter((key) => key.startsWith('skupper')),
          [],
        );
        for (const document of parseAllDocuments(result)) assert.deepEqual(document.errors, []);
      });
    }
  });
}

test('a value is replaced where it stands', () => {
  const text = `${head}metadata:\n  name: b\n  annotations:\n    skupper.io/proxy: 'http' # was it?\n    skupper.io/port: # none\n    z: 1\n`;
  const result = `${head}metadata:\n  name: b\n  annotations:\n    skupper.io/proxy: tcp # was it?\n    skupper.io/port: "80:8080" # none\n    z: 1\n`;
  assert.equal(edited(text, EXPOSE), result);
});

test('comments between annotations outlive them', () => {
  const text = `${head}metadata:\n  name: b\n  annotations:\n    # on the network\n    skupper.io/proxy: tcp\n  labels: {}\n`;
  assert.equal(edited(text, HIDE), `${head}metadata:\n  name: b\n    # on the network\n  labels: {}\n`);
});

test('values that look like something else are quoted', () => {
  const text = `${head}metadata:\n  name: b\n`;
  for (const value of ['8080', 'yes', 'a: b', '1e3', ''])
    assert.equal(readManifest(edited(text, { k: value })).workloads[0]?.annotations['k'], value);
});

test('the edit touches nothing that stays', () => {
  const text = cases[2]!.without;
  const edit = editAnnotations(text, readManifest(text).workloads[0]!, EXPOSE);
  assert.equal(edit.start, edit.end);
  assert.ok(edit.text.includes('skupper.io/proxy'));
});

test('annotations that are an alias are refused with a sentence', () => {
  const text = `${head}metadata:\n  name: b\n  labels: &l {a: b}\n  annotations: *l\n`;
  assert.throws(() => edited(text, EXPOSE), {
    message: 'The annotations of b are not a map of their own: write them out first.',
  });
});
