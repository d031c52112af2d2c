import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { API_VERSION, durationMs, MAX_RESOURCE_FILE_BYTES, parseResources, type ResourceKind } from './resources.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const KEY_BODY = Array.from({ length: 6 }, (_, line) => `MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ${line}`);
const KEY = `-----BEGIN PRIVATE KEY-----\n${KEY_BODY.join('\n')}\n-----END PRIVATE KEY-----\n`;

/** A document; `spec` is what stands below `spec:`, on line 6 and further. */
function document(kind: string, spec = ''): string {
  return `apiVersion: ${API_VERSION}\nkind: ${kind}\nmetadata:\n  name: it\nspec:\n${indented(spec)}`;
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** The only resource of a text that has no problem. */
function only(yaml: string) {
  const { resources, problems } = parseResources(yaml, 'it.yaml');
  assert.deepEqual(problems, []);
  assert.equal(resources.length, 1);
  return resources[0]!;
}

describe('a resource without choices', () => {
  const cases: { kind: ResourceKind; spec: string; parsed: object }[] = [
    { kind: 'Site', spec: '', parsed: { edge: false, settings: {} } },
    {
      kind: 'RouterAccess',
      spec: 'roles: [{name: inter-router, port: 0}]',
      parsed: { roles: [{ name: 'inter-router', port: 0 }], settings: {} },
    },
    { kind: 'Link', spec: 'tlsCredentials: west', parsed: { endpoints: [], tlsCredentials: 'west', cost: 1, settings: {} } },
    {
      kind: 'Listener',
      spec: 'routingKey: backend\nport: 0',
      parsed: { routingKey: 'backend', port: 0, host: '127.0.0.1', type: 'tcp', settings: {} },
    },
    {
      kind: 'Connector',
      spec: 'routingKey: backend\nport: 8080',
      parsed: { routingKey: 'backend', port: 8080, includeNotReadyPods: false, type: 'tcp', settings: {} },
    },
    { kind: 'AccessGrant', spec: '', parsed: { redemptionsAllowed: 1, expirationWindow: '15m', settings: {} } },
    {
      kind: 'AccessToken',
      spec: `url: https://203.0.113.7:8443/claims/x\ncode: secret\nca: |\n${indented(PEM)}`,
      parsed: { url: 'https://203.0.113.7:8443/claims/x', code: 'secret', ca: PEM, linkCost: 1, settings: {} },
    },
  ];
  for (const { kind, spec, parsed } of cases)
    it(`of kind ${kind} has its defaults`, () => {
      const { where, name, spec: read, kind: readKind } = only(document(kind, spec));
      assert.deepEqual({ readKind, name, where, read }, { readKind: kind, name: 'it', where: 'it.yaml:1', read: parsed });
    });
});

describe('a resource', () => {
  it('keeps every choice', () => {
    const link = only(
      document(
        'Link',
        'endpoints:\n- {name: inter-router, host: "2001:db8::1", port: "8443"}\n- {host: west.example, port: 443}\n' +
          'tlsCredentials: west\ncost: 7\nsettings: {context: kind-west, quick: true, level: 3}',
      ),
    );
    assert.deepEqual(link.spec, {
      endpoints: [
        { name: 'inter-router', host: '2001:db8::1', port: 8443 },
        { name: 'inter-router', host: 'west.example', port: 443 },
      ],
      tlsCredentials: 'west',
      cost: 7,
      settings: { context: 'kind-west', quick: 'true', level: '3' },
    });
  });

  it('may be a Secret, in base64 or plain', () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const secret = only(
      `apiVersion: v1\nkind: Secret\nmetadata: {name: it}\ndata:\n  ca.crt: ${base64(PEM)}\n  tls.crt: ${base64(PEM)}\n` +
        `stringData:\n  tls.key: |\n${indented(indented(KEY))}`,
    );
    assert.deepEqual(secret.spec, { 'ca.crt': PEM, 'tls.crt': PEM, 'tls.key': KEY });
  });

  it('may be a Secret with some of what it can have', () => {
    const secret = only(`{apiVersion: v1, kind: Secret, metadata: {name: it}, stringData: {ca.crt: ${JSON.stringify(PEM)}}}`);
    assert.deepEqual(secret.spec, { 'ca.crt': PEM });
  });

  it('may have fields that are not known here, as Skupper has more', () => {
    assert.equal(only(document('Listener', 'routingKey: a\nport: 1\nobserver: auto')).kind, 'Listener');
  });

  it('is read from a file that Windows wrote, with the right lines', () => {
    const yaml = `\uFEFF${document('Site')}---\n${document('Listener', 'routingKey: a\nport: many')}`.replaceAll('\n', '\r\n');
    const { resources, problems } = parseResources(yaml, 'it.yaml');
    assert.deepEqual(
      resources.map(({ kind }) => kind),
      ['Site'],
    );
    assert.deepEqual(
      problems.map(({ where }) => where),
      ['it.yaml:13'],
    );
  });

  it('is still there when the documents beside it are bad', () => {
    const listener = document('Listener', 'routingKey: a\nport: 1');
    const { resources, problems } = parseResources(
      [listener, 'kind: Nothing\n', document('Connector', 'port: 1'), ': : :\n\t- x\n', listener].join('\n---\n'),
      'it.yaml',
    );
    assert.deepEqual(
      resources.map(({ kind, where }) => `${kind} ${where}`),
      ['Listener it.yaml:1', 'Listener it.yaml:23'],
    );
    assert.equal(problems.length, 3, JSON.stringify(problems));
  });

  for (const empty of ['', '---\n', '# nothing\n', '---\n---\n# a comment\n---\n'])
    it(`is not missed in ${JSON.stringify(empty)}`, () => {
      assert.deepEqual(parseResources(empty, 'it.yaml'), { resources: [], problems: [] });
    });
});

describe('bad input gives one sentence and its line', () => {
  const RANGE = 'must be a whole number from 1 to 65535';
  const cases: [what: string, yaml: string, line: number, message: string][] = [
    ['no resource', 'hello', 1, 'This is not a resource; start with "apiVersion:" and "kind:".'],
    ['no YAML', 'a: [1\n', 3, 'This is not valid YAML: Flow sequence in block collection must be'],
    ['a key twice', `${document('Site')}  settings: {}\n  settings: {}\n`, 7, 'This is not valid YAML: Map keys must be unique.'],
    ['a tab', `${document('Site')}\tsettings: {}\n`, 6, 'This is not valid YAML: Tabs are not allowed as indentation.'],
    ['no kind', `apiVersion: ${API_VERSION}`, 1, 'The kind null is not known here; use one of Site, RouterAccess, Link, '],
    ['an unknown kind', document('Gateway'), 2, 'The kind "Gateway" is not known here; use one of Site, '],
    ['a kind of every object', document('constructor'), 2, 'The kind "constructor" is not known here'],
    ['an endless kind', document('K'.repeat(5000)), 2, 'The kind "KKKKKKKK'],
    ['another version', 'apiVersion: v9\nkind: Site\n', 1, `A Site has "apiVersion: ${API_VERSION}", not "v9".`],
    ['no name', `apiVersion: ${API_VERSION}\nkind: Site\n`, 1, 'Site: metadata.name must be text.'],
    [
      'a wrong name',
      document('Site').replace('name: it', 'name: It Is'),
      4,
      'Site: metadata.name may have lower case letters, digits, ',
    ],
    ['a spec that is no map', document('Site', '5'), 6, 'Site it: spec is 5; it must be a map.'],
    [
      'settings that are no map',
      document('Site', 'settings: [1]'),
      6,
      'Site it: spec.settings is [1]; it must be a map of names',
    ],
    ['deep settings', document('Site', 'settings: {a: {}}'), 6, 'Site it: spec.settings.a is {}; it must be text.'],
    ['no port', document('Listener', 'routingKey: a'), 6, 'Listener it: spec.port is missing.'],
    [
      'a port as text',
      document('Listener', 'routingKey: a\nport: "80"'),
      7,
      'Listener it: spec.port is "80"; it must be a whole',
    ],
    ['a port that is too high', document('Connector', 'routingKey: a\nport: 65536'), 7, `spec.port is 65536; it ${RANGE}.`],
    ['port 0 of a server', document('Connector', 'routingKey: a\nport: 0'), 7, `spec.port is 0; it ${RANGE}.`],
    ['a wrong address', document('Listener', 'routingKey: a b\nport: 1'), 6, 'spec.routingKey is "a b"; it may have letters, '],
    ['an empty host', document('Listener', 'routingKey: a\nport: 1\nhost:'), 8, 'spec.host is null; it must be text.'],
    [
      'a URL for a host',
      document('Connector', 'routingKey: a\nport: 1\nhost: http://b'),
      8,
      'must be a host name or an address,',
    ],
    ['another protocol', document('Connector', 'routingKey: a\nport: 1\ntype: ftp'), 8, 'must be one of tcp, http, http2, udp, '],
    [
      'a wrong choice',
      document('Connector', 'routingKey: a\nport: 1\nincludeNotReadyPods: x'),
      8,
      'spec.includeNotReadyPods is "x"; it must be true or false.',
    ],
    ['no role', document('RouterAccess', 'roles: []'), 6, 'spec.roles is []; it needs one entry, such as {name: inter-router, '],
    ['roles that are no list', document('RouterAccess', 'roles: all'), 6, 'spec.roles is "all"; it must be a list.'],
    ['another role', document('RouterAccess', 'roles:\n- {name: x, port: 1}'), 7, 'must be one of inter-router, edge, normal.'],
    ['a role without a port', document('RouterAccess', 'roles:\n- {name: edge}'), 7, 'spec.roles.0.port is missing.'],
    ['no credentials', document('Link', 'cost: 1'), 6, 'Link it: spec.tlsCredentials is missing.'],
    [
      'no cost',
      document('Link', 'tlsCredentials: a\ncost: 0'),
      7,
      'spec.cost is 0; it must be a whole number from 1 to 1000000.',
    ],
    [
      'a port that is a name',
      document('Link', 'tlsCredentials: a\nendpoints:\n- host: b\n  port: https'),
      9,
      `spec.endpoints.0.port is "https"; it ${RANGE}.`,
    ],
    ['too many uses', document('AccessGrant', 'redemptionsAllowed: 10001'), 6, 'must be a whole number from 1 to 10000.'],
    ['an endless life', document('AccessGrant', 'expirationWindow: forever'), 6, 'must be a duration such as 30s, 15m or 1h30m.'],
    ['a wrong URL', document('AccessToken', 'url: west'), 6, 'spec.url is "west"; it must be a URL such as https://'],
    [
      'an alias to nothing',
      document('Site', 'settings: *x'),
      1,
      'This cannot be used: Unresolved alias (the anchor must be set ',
    ],
    [
      'a Secret of something else',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: it}\nstringData: {tls.crt: hello}\n',
      1,
      'Secret it: data.tls.crt must be PEM.',
    ],
  ];
  for (const [what, yaml, line, message] of cases)
    it(what, () => {
      // A good document behind it is read all the same.
      const { resources, problems } = parseResources(`${yaml}\n---\n${document('Site')}`, 'it.yaml');
      assert.equal(problems.length, 1, JSON.stringify(problems));
      assert.equal(problems[0]!.where, `it.yaml:${line}`, problems[0]!.message);
      assert.ok(problems[0]!.message.includes(message), problems[0]!.message);
      assert.match(problems[0]!.message, /^[^\n]{1,250}\.$/);
      assert.doesNotMatch(problems[0]!.message, /Invalid|Expected/, 'the words are ours');
      assert.equal(resources.length, 1);
    });
});

describe('a file that is meant to do harm', () => {
  it('is not read when it is larger than the limit', () => {
    const { resources, problems } = parseResources(document('Site').padEnd(MAX_RESOURCE_FILE_BYTES + 1, '\n'), 'it.yaml');
    assert.deepEqual(resources, []);
    assert.deepEqual(problems, [{ where: 'it.yaml', message: 'The file is larger than 1048576 bytes; split it.' }]);
  });

  it('does not grow through aliases', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(',')}]\n`,
    );
    const { resources, problems } = parseResources(`${document('Site')}l0: &l0 [x]\n${levels.join('')}`, 'it.yaml');
    assert.deepEqual(resources, []);
    assert.match(problems[0]!.message, /^This cannot be used: Excessive alias count/);
  });

  it('does not overflow the stack', () => {
    const { resources, problems } = parseResources(`${document('Site')}  settings: ${'['.repeat(20_000)}`, 'it.yaml');
    assert.deepEqual(resources, []);
    assert.equal(problems.length, 1);
  });
});

describe('a private key', () => {
  const secret = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: it\nstringData:\n  tls.key: |\n${indented(indented(KEY))}`;

  for (const [what, yaml] of Object.entries({
    'without its frame': secret.replace(/-----BEGIN PRIVATE KEY-----/, ''),
    'in another field, without its frame': secret.replace('tls.key', 'ca.crt').replace(/-----BEGIN PRIVATE KEY-----/, ''),
    'in base64 twice': secret.replace(/\|[^]*/, Buffer.from(KEY).toString('base64')),
    'as a host': document('Connector', `routingKey: a\nport: 1\nhost: |\n${indented(KEY)}`),
    'as a kind': document(JSON.stringify(KEY)),
    'as a version': `apiVersion: ${JSON.stringify(KEY)}\nkind: Site\n`,
    'behind the mark of a block': secret.replace('|\n', '|'),
    'in a flow': secret.replace(/\|[^]*/, `{${KEY}`),
    'in quotes that do not close': secret.replace(/\|[^]*/, `"${KEY}`),
  }))
    it(`never ends up in a problem: ${what}`, () => {
      const { problems } = parseResources(yaml, 'it.yaml');
      assert.ok(problems.length > 0);
      assertNoKey(problems);
    });

  it('never ends up in a problem, wherever the file is broken', () => {
    for (let at = 0; at < secret.length; at += 3)
      for (const mark of ['\n', '"', '{', ']', '\t', ': ', '- ', '\n---\n', '!!x '])
        assertNoKey(parseResources(secret.slice(0, at) + mark + secret.slice(at), 'it.yaml').problems);
  });

  it('is no more secret than a code', () => {
    const { problems } = parseResources(document('AccessToken', 'url: https://a\ncode: 123456789'), 'it.yaml');
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['AccessToken it: spec.code must be text.'],
    );
  });
});

function assertNoKey(problems: object[]): void {
  const said = JSON.stringify(problems);
  const inBase64 = Buffer.from(KEY).toString('base64');
  for (const text of [...KEY_BODY, inBase64])
    for (let at = 0; at + 12 <= text.length; at += 4) assert.ok(!said.includes(text.slice(at, at + 12)), said);
}

describe('a duration', () => {
  it('is read as Go writes it', () => {
    assert.deepEqual(['30s', '15m', '1h30m', '1.5s', '250ms'].map(durationMs), [30_000, 900_000, 5_400_000, 1500, 250]);
  });
  it('is nothing else', () => {
    assert.deepEqual(['', '15', 'm', '15 m', '-1s', '1d', '1h x'].map(durationMs), Array(7).fill(undefined));
  });
});

describe('docs/resources.md', () => {
  it('has examples that work', async () => {
    const text = await readFile(new URL('../../docs/resources.md', import.meta.url), 'utf8');
    const examples = text.match(/(?<=\n\n)(    apiVersion:[^]*?)(?=\n\n)/g) ?? [];
    const kinds = examples.map((example) => only(example.replaceAll(/^    /gm, '')).kind);
    assert.deepEqual(kinds, ['Site', 'RouterAccess', 'Link', 'Listener', 'MultiKeyListener', 'Connector']);
  });
});
