import { generateKeyPair, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';

const { pki, md } = forge;
const DAY_MS = 86_400_000;
const KEY_BITS = 2048;

/** PEM texts. */
export interface TestCertificate {
  certificate: string;
  key: string;
}

/** An authority of the test, which signs whatever it is asked to. */
export class TestAuthority implements TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly #name: string;

  private constructor(name: string, { certificate, key }: TestCertificate) {
    this.#name = name;
    this.certificate = certificate;
    this.key = key;
  }

  static async make(name = 'authority of the test'): Promise<TestAuthority> {
    return new TestAuthority(name, await make({ name, issuer: name, isAuthority: true }));
  }

  /** For these host names and addresses; of a client, whatever its name. `days` below 0: it has expired so long ago. */
  issue(names: string[], { days = 1, bits = KEY_BITS } = {}): Promise<TestCertificate> {
    return make({ name: names[0]!, names, issuer: this.#name, issuerKey: this.key, days, bits });
  }
}

interface Wish {
  name: string;
  names?: string[];
  issuer: string;
  /** Of who signs; its own where it is not given. */
  issuerKey?: string;
  isAuthority?: boolean;
  days?: number;
  bits?: number;
}

async function make({
  name,
  names = [],
  issuer,
  issuerKey,
  isAuthority = false,
  days = 1,
  bits = KEY_BITS,
}: Wish): Promise<TestCertificate> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `4${randomBytes(8).toString('hex').slice(1)}`;
  certificate.validity.notBefore = new Date(Date.now() - 30 * DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + days * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  const altNames = names.map((each) => (isIP(each) ? { type: 7, ip: each } : { type: 2, value: each }));
  certificate.setExtensions(
    isAuthority
      ? [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, critical: true },
        ]
      : [
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          { name: 'subjectAltName', altNames },
        ],
  );
  certificate.sign(pki.privateKeyFromPem(issuerKey ?? privateKey), md.sha256.create());
  return { certificate: pki.certificateToPem(certificate), key: privateKey };
}

/** A Secret as resources have it. */
export function secretOf(name: string, own: Partial<TestCertificate>, authority?: string): object {
  const stringData = {
    ...(own.certificate !== undefined && { 'tls.crt': own.certificate }),
    ...(own.key !== undefined && { 'tls.key': own.key }),
    ...(authority !== undefined && { 'ca.crt': authority }),
  };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}
