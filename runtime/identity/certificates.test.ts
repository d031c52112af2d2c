import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { CaravanError } from '../errors.ts';
import {
  commonName,
  issueCertificate,
  type KeyAndCertificate,
  LEAF_DAYS,
  makeAuthority,
  makeServerCertificate,
  makeSigningRequest,
  readSigningRequest,
} from './certificates.ts';

let west: KeyAndCertificate;
let east: KeyAndCertificate;
let server: KeyAndCertificate;
let newcomer: { key: string; request: string };

before(async () => {
  [west, east, newcomer] = await Promise.all([
    makeAuthority('west-id'),
    makeAuthority('east-id'),
    makeSigningRequest('laptop-id'),
  ]);
  server = await makeServerCertificate('west-id', west);
});

describe('certificates of a site', () => {
  it('are signed by its authority and by no other', () => {
    const { certificate, serial } = issueCertificate(west, readSigningRequest(newcomer.request));
    for (const pem of [server.certificate, certificate]) {
      const leaf = new X509Certificate(pem);
      assert.ok(leaf.verify(new X509Certificate(west.certificate).publicKey));
      assert.ok(leaf.checkIssued(new X509Certificate(west.certificate)));
      assert.ok(!leaf.verify(new X509Certificate(east.certificate).publicKey));
      assert.equal(leaf.ca, false);
    }
    assert.equal(new X509Certificate(certificate).serialNumber, serial, 'the serial is written as TLS shows it');
    assert.ok(new X509Certificate(west.certificate).ca);
  });

  it('name the site, each for its own use', () => {
    const { certificate } = issueCertificate(west, readSigningRequest(newcomer.request));
    assert.deepEqual([west.certificate, server.certificate, certificate].map(commonName), ['west-id', 'west-id', 'laptop-id']);
    const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
    assert.deepEqual(new X509Certificate(server.certificate).keyUsage, [serverAuth]);
    assert.deepEqual(new X509Certificate(certificate).keyUsage, [clientAuth]);
  });

  it('belong to the key that the newcomer kept', () => {
    const { certificate } = issueCertificate(west, readSigningRequest(newcomer.request));
    assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(newcomer.key)));
    assert.ok(!newcomer.request.includes('PRIVATE'));
  });

  it('have a serial of their own, a life of a year, and room for clocks that differ', () => {
    const issued = Array.from({ length: 5 }, () => issueCertificate(west, readSigningRequest(newcomer.request)));
    assert.equal(new Set(issued.map(({ serial }) => serial)).size, 5);
    const { validFrom, validTo } = new X509Certificate(issued[0]!.certificate);
    assert.ok(Date.parse(validFrom) < Date.now() - 5 * 60_000);
    assert.equal(Math.round((Date.parse(validTo) - Date.now()) / 86_400_000), LEAF_DAYS);
    assert.ok(Math.abs(issued[0]!.expires.getTime() - Date.parse(validTo)) <= 1000);
  });
});

it('PEM has lines that YAML writes as they are', () => {
  for (const pem of [west.key, west.certificate, server.certificate, newcomer.request])
    assert.match(pem, /^(?:[\x20-\x7e]+\n)+$/);
  assert.equal(parse(stringify({ pem: west.certificate })).pem, west.certificate);
  assert.match(stringify({ pem: west.certificate }), /^pem: \|\n {2}-----BEGIN CERTIFICATE-----\n/);
});

describe('a signing request', () => {
  it('is refused when it is none, in one sentence', () => {
    for (const pem of ['', 'hello', newcomer.request.slice(0, 200), west.certificate])
      assert.throws(
        () => readSigningRequest(pem),
        (error) => {
          assert.ok(error instanceof CaravanError);
          assert.equal(error.code, 'bad-request');
          assert.match(error.message, /^The signing request cannot be used: [^\n]+\.$/);
          return true;
        },
      );
  });

  it('is refused when somebody changed it on its way', () => {
    const der = Buffer.from(newcomer.request.replaceAll(/-----.*-----|\s/g, ''), 'base64');
    const at = der.indexOf('laptop-id');
    assert.ok(at > 0);
    der.write('server-id', at);
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    assert.throws(() => readSigningRequest(forged), /cannot be used/);
  });

  for (const name of ['', 'a b', '../x', 'x'.repeat(65), 'a\nb'])
    it(`is refused when it names ${JSON.stringify(name).slice(0, 20)}`, async () => {
      const { request } = await makeSigningRequest(name || ' ');
      assert.throws(() => readSigningRequest(request), /names no site/);
    });
});

describe('the name in a certificate', () => {
  it('cannot be read from what is no certificate', () => {
    for (const pem of ['', 'x', server.certificate.slice(0, 300)])
      assert.throws(() => commonName(pem), {
        code: 'bad-request',
        message: 'The certificate cannot be read: it is not PEM, or it is cut short.',
      });
  });
});
