import { createPublicKey, sign, verify } from 'node:crypto';
import type forge from 'node-forge';
import pki from 'node-forge/lib/x509.js';
import { bytesOf, derOf } from './encodings.ts';

/**
 * What is to be signed, where node-forge expects the hash of it: OpenSSL hashes and signs. In JavaScript that takes 100 ms, and makes V8 bring in its
 * compilers, which an idle router then keeps in memory.
 */
export class ToSign {
  readonly algorithm = 'sha256';
  #bytes = '';

  static empty(): forge.md.MessageDigest {
    // All that is called of it.
    return new ToSign() as unknown as forge.md.MessageDigest;
  }

  update(bytes: string): void {
    this.#bytes += bytes;
  }

  signature(key: string): string {
    return sign(this.algorithm, bytesOf(this.#bytes), key).toString('binary');
  }
}

/** A private key as node-forge calls it. */
export function signer(key: string): forge.pki.rsa.PrivateKey {
  return { sign: (all: forge.md.MessageDigest) => (all as unknown as ToSign).signature(key) } as forge.pki.rsa.PrivateKey;
}

/** Whether its sender holds its key. Only what `makeSigningRequest` signs with is taken. */
export function isSigned(request: forge.pki.CertificateSigningRequest, publicKey: forge.pki.PublicKey): boolean {
  if (request.signatureOid !== pki.oids['sha256WithRSAEncryption']) return false;
  // The types leave it out.
  const { certificationRequestInfo } = request as unknown as { certificationRequestInfo: forge.asn1.Asn1 };
  const key = createPublicKey({ key: derOf(pki.publicKeyToAsn1(publicKey)), format: 'der', type: 'spki' });
  return verify('sha256', derOf(certificationRequestInfo), key, bytesOf(request.signature as string));
}
