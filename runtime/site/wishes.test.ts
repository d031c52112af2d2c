import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { makeAuthority } from '../identity/certificates.ts';
import { API_VERSION, parseResources, type Resource } from './resources.ts';
import { wishesOf } from './wishes.ts';

let authority: string;
before(async () => {
  authority = (await makeAuthority('west-id')).certificate;
});

/** Resources of a file; `---` between them. */
function read(yaml: string, file = 'it.yaml'): Resource[] {
  const { resources, problems } = parseResources(yaml, file);
  assert.deepEqual(problems, []);
  return resources;
}

function resource(kind: string, name: string, spec: string, file?: string): Resource {
  return read(`{apiVersion: ${API_VERSION}, kind: ${kind}, metadata: {name: ${name}}, spec: ${spec}}`, file)[0]!;
}

function secret(name: string, ca = authority, certificate = authority): Resource {
  const data = JSON.stringify({ 'ca.crt': ca, 'tls.crt': certificate, 'tls.key': '-----BEGIN X-----' });
  return read(`{apiVersion: v1, kind: Secret, metadata: {name: ${name}}, stringData: ${data}}`)[0]!;
}

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

/** The messages that one resource leads to. */
function complaints(...resources: Resource[]): string[] {
  return wishesOf(resources).problems.map(({ message }) => message);
}

describe('wishes', () => {
  it('are the same whatever the order of the resources', () => {
    const resources = [
      resource('Site', 'shop', '{settings: {autoListen: loopback}}'),
      resource('Listener', 'backend', '{routingKey: backend, port: 8080}'),
      resource('Connector', 'orders', '{routingKey: orders, port: 5432, host: db}'),
      // Two servers of one address that do not agree: one of them has to win, always the same.
      resource('Connector', 'orders-too', '{routingKey: orders, port: 5433, host: db, settings: {distribution: closest}}'),
      resource('Link', 'west', '{tlsCredentials: west, cost: 3, endpoints: [{host: west.example, port: 8443}]}'),
      secret('west'),
    ];
    const first = wishesOf(resources);
    assert.equal(first.siteName, 'shop');
    assert.equal(first.autoListen, true);
    assert.deepEqual(first.problems, []);
    assert.deepEqual(
      [first.listeners.length, first.connectors.length, first.links.map(({ name, cost, siteId }) => ({ name, cost, siteId }))],
      [1, 2, [{ name: 'west', cost: 3, siteId: 'west-id' }]],
    );
    for (const order of permutations(resources)) assert.deepEqual(wishesOf(order), first);
    // As from commands, which all stand at the same place.
    const fromCommands = resources.map((each) => ({ ...each, where: 'command' }));
    const [one, ...others] = permutations(fromCommands).map((order) => wishesOf(order));
    for (const other of others) assert.deepEqual(other, one);
  });

  it('take the first of two with the same name and kind, and say where the other stands', () => {
    const twice = [
      resource('Listener', 'a', '{routingKey: late, port: 2}', 'b.yaml'),
      resource('Listener', 'a', '{routingKey: early, port: 1}', 'a.yaml'),
      resource('Connector', 'a', '{routingKey: a, port: 1, host: db}', 'c.yaml'),
    ];
    for (const order of permutations(twice)) {
      const { listeners, connectors, problems } = wishesOf(order);
      assert.deepEqual(
        listeners.map(({ address }) => address),
        ['early'],
      );
      assert.equal(connectors.length, 1, 'a name is free for each kind');
      assert.deepEqual(problems, [
        { where: 'b.yaml:1', message: 'There is a Listener named a already (a.yaml:1); rename or remove one of the two.' },
      ]);
    }
  });

  it('take the first of two in one file by its line', () => {
    const yaml = [9, 10, 11].map(
      (port) => `apiVersion: ${API_VERSION}\nkind: Listener\nmetadata: {name: a}\nspec: {routingKey: a, port: ${port}}\n`,
    );
    const { listeners, problems } = wishesOf(read(yaml.join('---\n')));
    assert.equal(listeners[0]!.port, 9);
    assert.deepEqual(
      problems.map(({ where }) => where),
      ['it.yaml:6', 'it.yaml:11'],
    );
  });

  it('have one Site and one RouterAccess', () => {
    const access = (name: string, port: number) =>
      resource('RouterAccess', name, `{roles: [{name: inter-router, port: ${port}}]}`);
    const two = [resource('Site', 'a', '{}', 'a.yaml'), resource('Site', 'b', '{}', 'b.yaml'), access('a', 1), access('b', 2)];
    for (const order of permutations(two)) {
      const { siteName, access: taken, problems } = wishesOf(order);
      assert.equal(siteName, 'a');
      assert.equal(taken?.port, 1);
      assert.equal(problems.length, 2);
      assert.equal(problems[0]!.message, 'There is a Site already (a.yaml:1); a site has one. Remove one of the two.');
    }
  });

  it('make an edge site of a Site that says so, which takes no links', () => {
    const links = resource('RouterAccess', 'links', '{roles: [{name: inter-router, port: 8443}]}');
    const { edge, access: taken, problems } = wishesOf([resource('Site', 'laptop', '{edge: true}'), links]);
    assert.equal(edge, true);
    assert.equal(taken, undefined);
    assert.match(problems[0]!.message, /^An edge site takes no links\. Remove the RouterAccess/);
  });

  it('are nothing where there is nothing', () => {
    const empty = wishesOf([]);
    assert.deepEqual(empty, {
      siteName: undefined,
      edge: false,
      autoListen: false,
      proxy: undefined,
      access: undefined,
      listeners: [],
      connectors: [],
      links: [],
      problems: [],
    });
  });
});

describe('autoListen', () => {
  for (const [value, wanted] of [
    ['loopback', true],
    ['none', false],
  ] as const)
    it(`may be ${value}`, () => {
      const { autoListen, problems } = wishesOf([resource('Site', 'a', `{settings: {autoListen: ${value}}}`)]);
      assert.equal(autoListen, wanted);
      assert.deepEqual(problems, []);
    });

  it('is off, with a sentence, where its value is not known', () => {
    const { autoListen, problems } = wishesOf([resource('Site', 'a', '{settings: {autoListen: true}}')]);
    assert.equal(autoListen, false);
    assert.deepEqual(problems, [{ where: 'it.yaml:1', message: 'Site a: settings.autoListen is "true"; use loopback or none.' }]);
  });
});

describe('proxyPort', () => {
  for (const value of ['1080', '0', '65535'])
    it(`may be ${value}, as text or as a number`, () => {
      for (const written of [value, `"${value}"`]) {
        const { proxy, problems } = wishesOf([resource('Site', 'a', `{settings: {proxyPort: ${written}}}`)]);
        assert.deepEqual([proxy, problems], [{ port: Number(value), where: 'it.yaml:1' }, []]);
      }
    });

  for (const value of ['65536', '-1', '1.5', 'true', '""'])
    it(`is none, with a sentence, where it is ${value}`, () => {
      const { proxy, problems } = wishesOf([resource('Site', 'a', `{settings: {proxyPort: ${value}}}`)]);
      assert.equal(proxy, undefined);
      assert.match(problems[0]!.message, /^Site a: settings\.proxyPort is ".*"; use a port from 1 to 65535, or 0/);
    });
});

describe('a RouterAccess', () => {
  it('means the port for links between routers, whatever stands before it', () => {
    const { access } = wishesOf([
      resource(
        'RouterAccess',
        'a',
        '{roles: [{name: edge, port: 1}, {name: inter-router, port: 2}], bindHost: "::1", settings: {host: west.example}}',
      ),
    ]);
    const none = { tunnel: undefined, tunnelPort: undefined };
    assert.deepEqual(access, { host: '::1', port: 2, advertisedHost: 'west.example', ...none });
  });

  it('may be reached through a tunnel, whose URL and port must be some', () => {
    const wishes = (settings: string) =>
      wishesOf([resource('RouterAccess', 'a', `{roles: [{name: edge, port: 1}], settings: ${settings}}`)]);
    const { access } = wishes('{tunnel: "https://shop.example/x/", tunnelPort: 8080}');
    assert.deepEqual([access?.tunnel, access?.tunnelPort], [{ url: 'https://shop.example/x' }, 8080]);
    for (const url of [
      'shop.example',
      'ftp://shop.example',
      'https://me:secret@shop.example',
      'https://shop.example?a',
      'https://',
    ])
      assert.deepEqual(
        wishes(`{tunnel: "${url}"}`).problems.map(({ message }) => message),
        ['RouterAccess a: settings.tunnel is no URL that leads to a site; use one such as https://shop.example.com/caravan.'],
      );
    assert.match(wishes('{tunnel: "https://a", tunnelCa: x}').problems[0]!.message, /settings\.tunnelCa is no certificate/);
    assert.match(
      wishes('{tunnelPort: 70000}').problems[0]!.message,
      /settings\.tunnelPort is "70000"; use a port from 1 to 65535\./,
    );
  });
});

describe('a Connector', () => {
  it('leads to its host and port', () => {
    const [connector] = wishesOf([resource('Connector', 'orders', '{routingKey: orders, port: 5432, host: db}')]).connectors;
    assert.deepEqual(connector, {
      name: 'orders',
      address: 'orders',
      type: 'tcp',
      distribution: 'balanced',
      port: 5432,
      exact: false,
      targets: [{ host: 'db', port: 5432, name: 'db:5432' }],
      pending: undefined,
      source: 'it.yaml:1',
    });
  });

  it('takes only clients of its service port where it names one', () => {
    const spec = '{routingKey: web, port: 8443, host: db, settings: {servicePort: 443}}';
    const [connector] = wishesOf([resource('Connector', 'web', spec)]).connectors;
    assert.equal(connector?.port, 443);
    assert.equal(connector.exact, true);
    assert.equal(connector.targets[0]?.port, 8443);
  });

  it('has the servers that its source found', () => {
    const targets = [{ host: '10.0.0.1', port: 8080, name: 'backend-a' }];
    const found = { ...resource('Connector', 'a', '{routingKey: a, port: 8080, selector: app=a}'), targets } as Resource;
    assert.deepEqual(wishesOf([found]).connectors[0]?.targets, targets);
    const none = { ...found, targets: [], pending: 'no pod of a is ready' } as Resource;
    assert.deepEqual(wishesOf([none]).problems, [], 'no server yet is no mistake of whoever wrote it');
    assert.equal(wishesOf([none]).connectors[0]?.pending, 'no pod of a is ready');
  });

  const bad: [spec: string, message: string][] = [
    ['selector: app=a', 'Connector a: spec.selector finds pods on Kubernetes only; use spec.host here.'],
    ['type: tcp', 'Connector a: spec.host is missing; name the host that the server runs on.'],
    [
      'host: db, settings: {pathPrefix: /v2}',
      'Connector a: settings.pathPrefix is for requests: for type http and http2, not for tcp.',
    ],
    [
      'host: db, type: http, settings: {header: baggage}',
      'Connector a: settings.header is "baggage"; write a field and its value, such as "baggage: caravan=ada".',
    ],
    [
      'host: db, type: http, settings: {pathPrefix: v2}',
      'Connector a: settings.pathPrefix is "v2"; write the first part of a path, such as "/v2".',
    ],
    ['host: db, type: http, settings: {weight: 0}', 'Connector a: settings.weight is "0"; use a whole number from 1 to 1000000.'],
    [
      'host: db, type: http, settings: {aggregate: json}',
      'Connector a: settings.aggregate: answers are put together only where http goes to all; use type http with distribution multicast.',
    ],
    [
      'host: db, settings: {distribution: multicast}',
      'Connector a: multicast is for udp and http, not for tcp; use balanced or closest.',
    ],
    [
      'host: db, settings: {distribution: random}',
      'Connector a: settings.distribution is "random"; use balanced, closest, multicast.',
    ],
    ['host: db, settings: {servicePort: http}', 'Connector a: settings.servicePort is "http"; use a port from 1 to 65535.'],
    ['host: db, settings: {servicePort: 0}', 'Connector a: settings.servicePort is "0"; use a port from 1 to 65535.'],
    ['host: db, settings: {servicePort: 65536}', 'Connector a: settings.servicePort is "65536"; use a port from 1 to 65535.'],
    ['host: db, settings: {servicePort: 80.5}', 'Connector a: settings.servicePort is "80.5"; use a port from 1 to 65535.'],
    ['host: db, settings: {servicePort: ""}', 'Connector a: settings.servicePort is ""; use a port from 1 to 65535.'],
  ];
  for (const [spec, message] of bad)
    it(`is not made of {${spec}}`, () => {
      const connector = resource('Connector', 'a', `{routingKey: a, port: 1, ${spec}}`);
      assert.deepEqual(complaints(connector), [message]);
      assert.deepEqual(wishesOf([connector]).connectors, []);
    });
});

describe('a Listener', () => {
  it('means its own port, unless it names the service port', () => {
    const of = (settings: string) => wishesOf([resource('Listener', 'a', `{routingKey: a, port: 80${settings}}`)]).listeners[0];
    assert.equal(of('')?.servicePort, 80);
    assert.equal(of(', settings: {servicePort: 8080}')?.servicePort, 8080);
  });

  it('is not made with a service port that is none', () => {
    const listener = resource('Listener', 'a', '{routingKey: a, port: 80, settings: {servicePort: web}}');
    assert.deepEqual(complaints(listener), ['Listener a: settings.servicePort is "web"; use a port from 1 to 65535.']);
    assert.deepEqual(wishesOf([listener]).listeners, []);
  });
});

describe('a Link', () => {
  const link = (spec = 'endpoints: [{host: west, port: 1}]') => resource('Link', 'west', `{tlsCredentials: keys, ${spec}}`);

  it('says which Secret is missing', () => {
    assert.deepEqual(complaints(link(), secret('other')), [
      'Link west: there is no Secret named keys with its certificates; redeem its token again.',
    ]);
  });

  it('says that a certificate is none', () => {
    assert.deepEqual(complaints(link(), secret('keys', '-----BEGIN CERTIFICATE-----\nx')), [
      'Link west: ca.crt of the Secret keys is no certificate; redeem its token again.',
    ]);
    assert.deepEqual(complaints(link(), secret('keys', authority, '-----BEGIN CERTIFICATE-----\nx')), [
      'Link west: tls.crt of the Secret keys is no certificate; redeem its token again.',
    ]);
  });

  it('says that it leads nowhere', () => {
    assert.deepEqual(complaints(link('cost: 1'), secret('keys')), [
      'Link west: spec.endpoints is empty; name a host and a port.',
    ]);
  });

  it('may lead through a tunnel, after what else leads there', () => {
    const endpoints = (spec: string) => wishesOf([link(spec), secret('keys')]).links[0]?.endpoints;
    const tunnel = { host: '2001:db8::7', port: 443, tunnel: { url: 'https://[2001:db8::7]/x' } };
    const settings = 'settings: {tunnel: "https://[2001:db8::7]/x"}';
    assert.deepEqual(endpoints(settings), [tunnel]);
    assert.deepEqual(endpoints(`endpoints: [{host: west, port: 1}], ${settings}`), [{ host: 'west', port: 1 }, tunnel]);
    assert.match(complaints(link('settings: {tunnel: x}'), secret('keys'))[0]!, /^Link west: settings\.tunnel is no URL/);
  });

  it('may lead through a kubeconfig instead', () => {
    const [way] = wishesOf([link('settings: {context: kind-west}'), secret('keys')]).links;
    assert.deepEqual(way?.portForward, { context: 'kind-west', namespace: 'default' });
  });
});

describe('an AccessGrant or AccessToken', () => {
  it('names the command that does it', () => {
    assert.deepEqual(complaints(resource('AccessGrant', 'a', '{}')), [
      'AccessGrant a: this is done by a command, not by a resource: caravan token issue.',
    ]);
    assert.deepEqual(complaints(resource('AccessToken', 'a', '{url: "https://a", code: b, ca: "-----BEGIN C"}')), [
      'AccessToken a: this is done by a command, not by a resource: caravan token redeem FILE.',
    ]);
  });
});
