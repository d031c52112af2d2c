import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { completionsAt } from './completions.ts';

const head = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: backend\n  annotations:\n';
const spec = 'spec:\n  template:\n    spec:\n      containers:\n        - ports:\n            - {containerPort: 8080, name: http}\n            - {containerPort: 9090}\n'; // prettier-ignore

/** `|` is the cursor. Labels, and the text with the first one taken. */
function complete(marked: string): { labels: string[]; first: string | undefined; details: string[] } {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const found = completionsAt(text, offset);
  const [first] = found;
  return {
    labels: found.map(({ label }) => label),
    details: found.map(({ detail }) => detail),
    first: first && text.slice(0, first.start) + first.insert + text.slice(first.end),
  };
}
const KEYS = [
  'proxy',
  'address',
  'port',
  'distribution',
  'aggregate',
  'header',
  'path-prefix',
  'weight',
  'proxy-protocol',
  'tls',
  'tls-trust',
  'tls-server-name',
  'tls-client-cert',
  'tls-cert',
].map((key) => `skupper.io/${key}`);

describe('keys', () => {
  test('are offered within annotations, without those that are there', () => {
    assert.deepEqual(complete(`${head}    |\n${spec}`).labels, KEYS);
    assert.deepEqual(complete(`${head}    skupper.io/proxy: tcp\n    |\n${spec}`).labels, KEYS.slice(1));
    assert.deepEqual(complete(`${head}    |\n    skupper.io/port: "80"\n${spec}`).labels, KEYS.toSpliced(2, 1));
  });
  const written: [string, string, string][] = [
    ['an empty line', `${head}    |\n`, `${head}    skupper.io/proxy: \n`],
    ['the end of the file', `${head}    sku|`, `${head}    skupper.io/proxy: `],
    ['a half word', `${head}    owner: ada\n    skup|per.x\n`, `${head}    owner: ada\n    skupper.io/proxy: \n`],
    ['a key with its value', `${head}    skup|: tcp\n`, `${head}    skupper.io/proxy: tcp\n`],
    ['an open quote', `${head}    "sk|\n`, `${head}    "skupper.io/proxy": \n`],
    ['a closed quote', `${head}    "sk|": tcp\n`, `${head}    "skupper.io/proxy": tcp\n`],
    ['Windows line ends', `${head}    |\n`.replaceAll('\n', '\r\n'), `${head}    skupper.io/proxy: \n`.replaceAll('\n', '\r\n')],
  ]; // prettier-ignore
  for (const [name, before, after] of written) test(`replace ${name}`, () => assert.equal(complete(before).first, after));
});

describe('values', () => {
  const at = (line: string) => complete(`${head}    ${line}\n${spec}`);
  test('of the protocol: the guess first', () => {
    const { labels, details, first } = at('skupper.io/proxy: |');
    assert.deepEqual(labels, ['http', 'tcp', 'http2', 'udp', 'amqp']);
    assert.deepEqual([details[0], details[4]], ['usual for port 8080', '']);
    assert.equal(first, `${head}    skupper.io/proxy: http\n${spec}`);
  });
  test('of the PROXY protocol', () => {
    assert.deepEqual(at('skupper.io/proxy-protocol: |').labels, ['v2']);
  });
  test('of the aggregate', () => {
    assert.deepEqual(at('skupper.io/aggregate: |').labels, ['json', 'multipart']);
  });

  test('of TLS: a text, also where YAML would read something else', () => {
    const { labels, first } = at('skupper.io/tls: |');
    assert.deepEqual([labels, first], [['true', 'insecure'], `${head}    skupper.io/tls: "true"\n${spec}`]);
    assert.equal(at('skupper.io/tls-client-cert: |').first, `${head}    skupper.io/tls-client-cert: "true"\n${spec}`);
    assert.deepEqual(at('skupper.io/tls-trust: |').labels, [], 'nobody knows the Secrets that a cluster has');
  });

  test('of the distribution', () => {
    assert.deepEqual(at('skupper.io/distribution: |').labels, ['balanced', 'closest', 'multicast']);
  });
  test('of the port are the ports of the object, quoted', () => {
    const { labels, details, first } = at('skupper.io/port: |');
    assert.deepEqual(labels, ['8080', '9090', '8080,9090']);
    assert.deepEqual(details, ['http', '', 'all of them']);
    assert.equal(first, `${head}    skupper.io/port: "8080"\n${spec}`);
  });
  test('keep the quotes that are there', () => {
    assert.equal(at('skupper.io/port: "|"').first, `${head}    skupper.io/port: "8080"\n${spec}`);
    assert.equal(at('skupper.io/port: "9|').first, `${head}    skupper.io/port: "8080"\n${spec}`);
    assert.equal(at("skupper.io/proxy: 't|x'").first, `${head}    skupper.io/proxy: 'http'\n${spec}`);
  });
  test("of a Service are the Service's", () => {
    const text = 'metadata:\n  annotations:\n    skupper.io/port: |\nkind: Service\napiVersion: v1\nspec: {ports: [{port: 80}]}\n'.replace('metadata:\n', 'metadata:\n  name: a\n'); // prettier-ignore
    assert.deepEqual(complete(text).labels, ['80']);
  });
  test('of other annotations are not ours', () => assert.deepEqual(at('owner: |').labels, []));
});

describe('an object', () => {
  const some: [string, string][] = [
    ['in the second document', `kind: ConfigMap\n---\n${head}    |\n`],
    ['in a list', `apiVersion: v1\nkind: List\nitems:\n  - kind: ConfigMap\n    metadata:\n      name: c\n  - apiVersion: v1\n    kind: Service\n    metadata:\n      name: a\n      annotations:\n        |\n  - kind: ConfigMap\n`],
    ['in a list, metadata first', `kind: List\nitems:\n  - metadata:\n      annotations:\n        |\n    kind: Service\n  - kind: ConfigMap\n`],
    ['with a comment after its key', `${head.replace('annotations:', 'annotations: # ours')}    # more\n\n    |\n`],
    ['whose kind comes last', `metadata:\n  annotations:\n    |\nspec:\n  ports: []\nkind: Service # here\n`],
  ]; // prettier-ignore
  for (const [name, text] of some) test(`${name} has completions`, () => assert.equal(complete(text).labels.length, KEYS.length));

  const none: [string, string][] = [
    ['of another kind', `${head.replace('Deployment', 'ConfigMap')}    |\n`],
    ['in another document', `${head}---\nmetadata:\n  annotations:\n    |\n`],
    ["with its pods' annotations", `${head}spec:\n  template:\n    metadata:\n      annotations:\n        |\n`],
    ['with its labels', `${head.replace('annotations', 'labels')}    |\n`],
    ['with its metadata', `${head}  |\n`],
    ['within a value', `${head}    note:\n      |\n`],
    ['within a comment', `${head}    # sk|\n`],
    ['before a key', `${head}  |  owner: ada\n`],
    ['of the next item', `kind: List\nitems:\n  - metadata:\n      annotations:\n        |\n  - kind: Service\n`],
    ['that is no manifest', `|`],
  ]; // prettier-ignore
  for (const [name, text] of none) test(`${name} has none`, () => assert.deepEqual(complete(text).labels, []));
});
