import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationsFor, readExposure } from './annotations.ts';
import type { Exposure, WorkloadKind } from './types.ts';

const PORTS = [{ port: 8443 }];

function read(annotations: Record<string, string>, kind: WorkloadKind = 'Service', type = 'tcp'): Exposure | string | undefined {
  const tls = Object.entries(annotations).map(([key, value]) => [`skupper.io/${key}`, value]);
  const metadata = { name: 'backend', annotations: { 'skupper.io/proxy': type, ...Object.fromEntries(tls) } };
  return readExposure(kind, metadata, type === 'udp' ? [{ port: 53, protocol: 'UDP' }] : PORTS);
}

describe('TLS by annotation', () => {
  const good: [string, Record<string, string>, Pick<Exposure, 'tls' | 'listenerCredentials'>, WorkloadKind?][] = [
    ['none', {}, {}],
    ['with an authority', { 'tls-trust': 'backend-ca' }, { tls: { credentials: 'backend-ca' } }],
    ['verified by the system', { tls: 'true' }, { tls: { mode: 'true' } }],
    ['not verified', { tls: 'insecure' }, { tls: { mode: 'insecure' } }, 'Deployment'],
    [
      'with a name and a certificate of its own',
      { 'tls-trust': 'backend-ca', 'tls-server-name': 'db.example', 'tls-client-cert': 'true' },
      { tls: { credentials: 'backend-ca', useClientCert: true, serverName: 'db.example' } },
      'StatefulSet',
    ],
    ['without a certificate of its own', { tls: 'true', 'tls-client-cert': 'false' }, { tls: { mode: 'true' } }],
    ['with clients alone', { 'tls-cert': 'backend-tls' }, { listenerCredentials: 'backend-tls' }, 'DaemonSet'],
  ];
  for (const [name, annotations, expected, kind] of good)
    it(`is read: ${name}`, () => {
      const exposure = read(annotations, kind) as Exposure;
      const { tls, listenerCredentials } = exposure;
      assert.deepEqual({ ...(tls && { tls }), ...(listenerCredentials && { listenerCredentials }) }, expected);
      const written = { name: 'backend', annotations: annotationsFor(exposure, 'backend') };
      assert.deepEqual(readExposure(kind ?? 'Service', written, PORTS), exposure);
    });

  const bad: [string, Record<string, string>, string, WorkloadKind?, string?][] = [
    ['a way that is none', { tls: 'yes' }, 'skupper.io/tls is "yes"; it must be one of true, insecure.'],
    ['no name of a Secret', { 'tls-trust': 'a/../b' }, 'skupper.io/tls-trust is "a/../b"; it must be the name of a Secret.'],
    [
      'a name that is too long',
      { 'tls-cert': 'a'.repeat(254) },
      `skupper.io/tls-cert is "${'a'.repeat(254)}"; it must be the name of a Secret.`,
    ],
    [
      'a URL for a name',
      { tls: 'true', 'tls-server-name': 'https://db' },
      'skupper.io/tls-server-name is "https://db"; it must be a host name.',
    ],
    [
      'a certificate neither shown nor not',
      { 'tls-trust': 'ca', 'tls-client-cert': 'client' },
      'skupper.io/tls-client-cert is "client"; it must be true or false.',
    ],
    [
      'a certificate of no Secret',
      { tls: 'true', 'tls-client-cert': 'true' },
      'skupper.io/tls-client-cert needs skupper.io/tls-trust: the Secret that has the certificate.',
    ],
    [
      'a name without TLS',
      { 'tls-server-name': 'db' },
      'skupper.io/tls-server-name is a part of TLS with servers; add skupper.io/tls-trust, or skupper.io/tls: "true".',
    ],
    ['udp', { 'tls-trust': 'ca' }, 'skupper.io/tls-trust is not for udp; remove it.', 'Service', 'udp'],
    ['udp with TLS of clients', { 'tls-cert': 'a' }, 'skupper.io/tls-cert is not for udp; remove it.', 'Service', 'udp'],
    [
      'pods without a name',
      { 'tls-trust': 'ca' },
      'skupper.io/tls-trust: pods of a Deployment have no name that a certificate could be for; say which with skupper.io/tls-server-name, or annotate their Service.',
      'Deployment',
    ],
    [
      'pods without a name, verified by the system',
      { tls: 'true' },
      'skupper.io/tls: pods of a DaemonSet have no name that a certificate could be for; say which with skupper.io/tls-server-name, or annotate their Service.',
      'DaemonSet',
    ],
  ];
  for (const [name, annotations, message, kind, type] of bad)
    it(`makes no sense with ${name}`, () => assert.equal(read(annotations, kind, type), message));
});
