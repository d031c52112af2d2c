import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { secretOf, TestAuthority, type TestCertificate } from '../../test/support/certificates.ts';
import { API_VERSION, parseResources } from './resources.ts';
import { type Wishes, wishesOf } from './wishes.ts';

let authority: TestAuthority;
let own: TestCertificate;
let other: TestCertificate;
let short: TestCertificate;
before(async () => {
  authority = await TestAuthority.make();
  [own, other, short] = await Promise.all([
    authority.issue(['a.example']),
    authority.issue(['b.example']),
    authority.issue(['a.example'], { bits: 512 }),
  ]);
});

function wishes(kind: 'Listener' | 'Connector', spec: object, secret?: object): Wishes {
  const resource = { apiVersion: API_VERSION, kind, metadata: { name: 'a' }, spec: { routingKey: 'a', port: 1, ...spec } };
  const yaml = [resource, ...(secret ? [secret] : [])].map((document) => stringify(document)).join('---\n');
  const { resources, problems } = parseResources(yaml, 'it.yaml');
  assert.deepEqual(problems, []);
  return wishesOf(resources);
}

describe('a Listener', () => {
  const of = (spec: object, secret?: object) => wishes('Listener', spec, secret);

  it('has the certificate of its Secret, and the protocols of its type', () => {
    const alpn = (type: string) => of({ type, tlsCredentials: 'keys' }, secretOf('keys', own)).listeners[0]?.tls;
    assert.deepEqual(alpn('tcp'), { ...own, alpn: ['h2', 'http/1.1', '*'] });
    assert.deepEqual(alpn('http'), { ...own, alpn: ['http/1.1'] });
    assert.deepEqual(alpn('http2'), { ...own, alpn: ['h2', 'http/1.1'] });
  });

  it('asks for client certificates where its Secret has an authority', () => {
    const [listener] = of({ tlsCredentials: 'keys' }, secretOf('keys', own, authority.certificate)).listeners;
    assert.equal(listener?.tls?.clientAuthority, authority.certificate);
  });

  it('takes anybody where it is told to, and nobody where its Secret cannot tell whom', () => {
    const tls = (verifyClients: boolean, ca?: string) =>
      of({ tlsCredentials: 'keys', settings: { verifyClients } }, secretOf('keys', own, ca));
    assert.equal(tls(false, authority.certificate).listeners[0]?.tls?.clientAuthority, undefined);
    assert.equal(tls(true, authority.certificate).listeners[0]?.tls?.clientAuthority, authority.certificate);
    const { listeners, problems } = tls(true);
    assert.deepEqual(listeners, []);
    assert.equal(problems[0]?.message, 'Listener a: the Secret keys has no ca.crt to verify clients with; add it.');
  });

  it('may name its protocols', () => {
    const [listener] = of(
      { tlsCredentials: 'keys', settings: { alpn: 'http/1.1, postgresql' } },
      secretOf('keys', own),
    ).listeners;
    assert.deepEqual(listener?.tls?.alpn, ['http/1.1', 'postgresql']);
  });

  it('has an idle timeout in milliseconds', () => {
    assert.equal(of({ settings: { idleTimeout: '1m30s' } }).listeners[0]?.idleMs, 90_000);
    assert.equal(of({}).listeners[0]?.idleMs, undefined);
  });

  const bad: [what: string, spec: object, secret: () => object | undefined, message: string][] = [
    ['no Secret', {}, () => undefined, 'there is no Secret named keys; add one with tls.crt and tls.key.'],
    ['no certificate', {}, () => secretOf('keys', { key: own.key }), 'the Secret keys has no tls.crt; add it.'],
    ['no key', {}, () => secretOf('keys', { certificate: own.certificate }), 'the Secret keys has no tls.key; add it.'],
    [
      'a key of another certificate',
      {},
      () => secretOf('keys', { ...own, key: other.key }),
      'tls.key of the Secret keys does not belong to its tls.crt; take both from one pair.',
    ],
    [
      'a key that is none',
      {},
      () => secretOf('keys', { ...own, key: '-----BEGIN X-----' }),
      'tls.key of the Secret keys cannot be read; it must be a key in PEM without a passphrase.',
    ],
    [
      'a key for a certificate',
      {},
      () => secretOf('keys', { ...own, certificate: own.key }),
      'tls.crt of the Secret keys is no certificate; write it in PEM.',
    ],
    [
      'an authority that is none',
      {},
      () => secretOf('keys', own, '-----BEGIN X-----'),
      'ca.crt of the Secret keys is no certificate; write it in PEM.',
    ],
    [
      'a key that OpenSSL takes for too short',
      {},
      () => secretOf('keys', short),
      'tls.crt of the Secret keys is refused by OpenSSL (ee key too small); have a new one made.',
    ],
    ['udp', { type: 'udp' }, () => secretOf('keys', own), 'tlsCredentials is not for udp; remove it.'],
    [
      'no list of protocols',
      { settings: { alpn: 'h2,,' } },
      () => secretOf('keys', own),
      'settings.alpn is "h2,,"; write names such as "h2, http/1.1".',
    ],
    [
      'clients neither verified nor not',
      { settings: { verifyClients: 'maybe' } },
      () => secretOf('keys', own),
      'settings.verifyClients is "maybe"; use true or false.',
    ],
    [
      'clients verified without TLS',
      { tlsCredentials: undefined, settings: { verifyClients: true } },
      () => undefined,
      'settings.verifyClients is a part of TLS; add tlsCredentials, or remove it.',
    ],
    [
      'protocols without TLS',
      { tlsCredentials: undefined, settings: { alpn: 'h2' } },
      () => undefined,
      'settings.alpn is a part of TLS; add tlsCredentials, or remove it.',
    ],
    [
      'an idle time that is none',
      { tlsCredentials: undefined, settings: { idleTimeout: '0s' } },
      () => undefined,
      'settings.idleTimeout is "0s"; use a duration such as 5m, at most 500h.',
    ],
    [
      'an idle time of http',
      { tlsCredentials: undefined, type: 'http', settings: { idleTimeout: '5m' } },
      () => undefined,
      'settings.idleTimeout is for tcp, not for http; remove it.',
    ],
  ];
  for (const [what, spec, secret, message] of bad)
    it(`is not made with ${what}, and never without its TLS`, () => {
      const { listeners, problems } = of({ tlsCredentials: 'keys', ...spec }, secret());
      assert.deepEqual(listeners, []);
      assert.deepEqual(
        problems.map((problem) => problem.message),
        [`Listener a: ${message}`],
      );
    });
});

describe('a Connector', () => {
  const of = (spec: object, secret?: object) => wishes('Connector', { host: 'db.example', ...spec }, secret);
  const tls = (spec: object, secret?: object) => of(spec, secret).connectors[0]?.tls;
  const trust = () => secretOf('keys', own, authority.certificate);

  it('verifies its host with ca.crt of its Secret, and shows nothing of its own', () => {
    assert.deepEqual(tls({ tlsCredentials: 'keys' }, trust()), {
      serverName: 'db.example',
      authority: authority.certificate,
    });
  });

  it('shows its certificate where it may', () => {
    assert.deepEqual(tls({ tlsCredentials: 'keys', useClientCert: true }, trust()), {
      serverName: 'db.example',
      authority: authority.certificate,
      ...own,
    });
  });

  it('may verify another name, or none', () => {
    const named = { tlsCredentials: 'keys', settings: { tlsServerName: 'db' } };
    assert.equal(tls(named, trust())?.serverName, 'db');
    assert.equal(tls({ tlsCredentials: 'keys', verifyHostname: false }, trust())?.anyName, true);
  });

  it("trusts the system's authorities where it is told to, or anybody", () => {
    assert.deepEqual(tls({ settings: { tls: true } }), { serverName: 'db.example' });
    assert.deepEqual(tls({ settings: { tls: 'insecure' } }), { serverName: 'db.example', insecure: true });
  });

  it('offers what its type speaks', () => {
    assert.deepEqual(tls({ type: 'http', settings: { tls: true } })?.alpn, ['http/1.1']);
    assert.deepEqual(tls({ type: 'http2', settings: { tls: true } })?.alpn, ['h2']);
  });

  it('tells its servers of their clients', () => {
    assert.equal(of({ settings: { proxyProtocol: 'v2' } }).connectors[0]?.proxyProtocol, true);
  });

  it('says which Secret its clients are shown elsewhere', () => {
    assert.equal(of({ settings: { listenerCredentials: 'a-tls' } }).connectors[0]?.listenerCredentials, 'a-tls');
  });

  const bad: [what: string, spec: object, message: string][] = [
    [
      'no name of a Secret for its clients',
      { settings: { listenerCredentials: '../a' } },
      'settings.listenerCredentials is "../a"; use the name of a Secret.',
    ],
    [
      'a Secret for clients of udp',
      { type: 'udp', settings: { listenerCredentials: 'a' } },
      'settings.listenerCredentials is not for udp; remove it.',
    ],
    ['no Secret', { tlsCredentials: 'none' }, 'there is no Secret named none; add one with ca.crt.'],
    [
      'no authority',
      { tlsCredentials: 'keys' },
      'the Secret keys has no ca.crt to verify the server with; add it, or set tls to "true" for the system\'s authorities.',
    ],
    ['another word', { settings: { tls: 'yes' } }, 'settings.tls is "yes"; use true or insecure.'],
    [
      'a name without TLS',
      { settings: { tlsServerName: 'db' } },
      'settings.tlsServerName is a part of TLS; add tlsCredentials, or settings.tls: "true".',
    ],
    ['a client certificate of nobody', { useClientCert: true, settings: { tls: true } }, 'useClientCert needs tlsCredentials.'],
    ['udp', { type: 'udp', settings: { tls: true } }, 'TLS is not for udp; remove tlsCredentials and settings.tls.'],
    ['another version of PROXY', { settings: { proxyProtocol: 'v1' } }, 'settings.proxyProtocol is "v1"; use v2.'],
    [
      'PROXY for http',
      { type: 'http', settings: { proxyProtocol: 'v2' } },
      'settings.proxyProtocol is for type tcp; a connection carries the requests of many clients, and each request names its own in X-Forwarded-For.',
    ],
  ];
  for (const [what, spec, message] of bad)
    it(`is not made with ${what}`, () => {
      const { connectors, problems } = of(spec, secretOf('keys', own));
      assert.deepEqual(connectors, []);
      assert.deepEqual(
        problems.map((problem) => problem.message),
        [`Connector a: ${message}`],
      );
    });

  it('to pods asks for a name, which an address of a pod is not', () => {
    const pods = {
      kind: 'Connector',
      name: 'a',
      where: 'it.yaml:1',
      spec: {
        routingKey: 'a',
        port: 1,
        selector: 'app=a',
        includeNotReadyPods: false,
        type: 'tcp',
        settings: { tls: 'true' } as Record<string, string>,
      },
      targets: [{ host: '10.0.0.1', port: 1, name: 'pod-a' }],
    } as const;
    const wrong = wishesOf([{ ...pods, targets: [...pods.targets] }]);
    assert.match(wrong.problems[0]!.message, /^Connector a: pods have no name that a certificate could be for; write /);
    const settings = { tls: 'true', tlsServerName: 'a.shop.svc' };
    const right = wishesOf([{ ...pods, targets: [...pods.targets], spec: { ...pods.spec, settings } }]);
    assert.equal(right.connectors[0]?.tls?.serverName, 'a.shop.svc');
  });
});
