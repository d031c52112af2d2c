import { generateKeyPair, randomBytes, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type forge from 'node-forge';
// Not all of it: the rest, TLS in JavaScript among it, is twice as large.
import pki from 'node-forge/lib/x509.js';
import { CaravanError } from '../errors.ts';
import { fromDer, fromPem, pemOf } from './encodings.ts';
import { isSigned, signer, ToSign } from './signatures.ts';

/** RSA, since node-forge knows no other certificates; the same size as Skupper's. Bits. */
const KEY_BITS = 2048;
const AUTHORITY_YEARS = 10;
/** Of a site's own certificate and of those that it gives to others. Days. */
export const LEAF_DAYS = 365;
/** Clocks of two sites may differ by this much. Milliseconds. */
const CLOCK_SKEW_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
/** What PEM calls them (RFC 7468, sections 5 and 7). */
const CERTIFICATE = 'CERTIFICATE';
const REQUEST = 'CERTIFICATE REQUEST';

/** PEM texts. */
export interface KeyAndCertificate {
  key: string;
  certificate: string;
}

/** What a signing request asks for, once its own signature holds. */
export interface SigningRequest {
  siteId: string;
  publicKey: forge.pki.PublicKey;
}

export interface IssuedCertificate {
  certificate: string;
  /** Upper case hexadecimal, as `tls.TLSSocket.getPeerCertificate` has it. */
  serial: string;
  expires: Date;
}

/** The certificates of one site: its id is the common name of its authority and of every certificate that names it. */
export async function makeAuthority(siteId: string, now = Date.now()): Promise<KeyAndCertificate> {
  const { key, publicKey } = await makeKey();
  const { certificate } = certify({
    subject: siteId,
    publicKey,
    issuer: siteId,
    key,
    now,
    days: AUTHORITY_YEARS * 365,
    usage: 'authority',
  });
  return { key, certificate };
}

/** The certificate that a site shows to those that dial it. */
export async function makeServerCertificate(
  siteId: string,
  authority: KeyAndCertificate,
  now = Date.now(),
): Promise<KeyAndCertificate> {
  const { key, publicKey } = await makeKey();
  const { certificate } = certify({
    subject: siteId,
    publicKey,
    issuer: siteId,
    key: authority.key,
    now,
    days: LEAF_DAYS,
    usage: 'server',
  });
  return { key, certificate };
}

/** A new key, which stays here, and a request (PKCS #10) for a certificate in this site's name. PEM. */
export async function makeSigningRequest(siteId: string): Promise<{ key: string; request: string }> {
  const { key, publicKey } = await makeKey();
  const request = pki.createCertificationRequest();
  request.publicKey = publicKey;
  request.setSubject(named(siteId));
  request.sign(signer(key), ToSign.empty());
  return { key, request: pemOf(pki.certificationRequestToAsn1(request), REQUEST) };
}

/** Throws `bad-request` for what is no signing request, or one whose sender does not hold its key. */
export function readSigningRequest(pem: string): SigningRequest {
  try {
    const request = pki.certificationRequestFromAsn1(fromPem(pem, REQUEST));
    if (!request.publicKey || !isSigned(request, request.publicKey)) throw new Error('its signature does not hold');
    const siteId = request.subject.getField('CN')?.value as unknown;
    if (typeof siteId !== 'string' || !/^[\w-]{1,64}$/.test(siteId)) throw new Error('it names no site');
    return { siteId, publicKey: request.publicKey };
  } catch (error) {
    throw new CaravanError('bad-request', `The signing request cannot be used: ${(error as Error).message}.`, { cause: error });
  }
}

/** A certificate with which the requesting site may link to the site whose authority this is. */
export function issueCertificate(
  authority: KeyAndCertificate,
  { siteId, publicKey }: SigningRequest,
  now = Date.now(),
): IssuedCertificate {
  const issuer = commonName(authority.certificate);
  return certify({ subject: siteId, publicKey, issuer, key: authority.key, now, days: LEAF_DAYS, usage: 'client' });
}

/** The site id that a certificate names. Throws `bad-request` where the text is no certificate. */
export function commonName(pem: string): string {
  try {
    return String(new X509Certificate(pem).toLegacyObject().subject.CN ?? '');
  } catch (error) {
    throw new CaravanError('bad-request', 'The certificate cannot be read: it is not PEM, or it is cut short.', { cause: error });
  }
}

async function makeKey(): Promise<{ key: string; publicKey: forge.pki.PublicKey }> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { key: privateKey, publicKey: pki.publicKeyFromAsn1(fromDer(publicKey)) };
}

interface CertificateOptions {
  subject: string;
  publicKey: forge.pki.PublicKey;
  issuer: string;
  /** The issuer's. */
  key: string;
  /** Milliseconds since 1970. */
  now: number;
  /** Its life, from now on. */
  days: number;
  usage: 'authority' | 'server' | 'client';
}

function certify({ subject, publicKey, issuer, key, now, days, usage }: CertificateOptions): IssuedCertificate {
  const certificate = pki.createCertificate();
  certificate.publicKey = publicKey;
  // RFC 5280, section 4.1.2.2: positive, unique, at most 20 bytes.
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  certificate.serialNumber = serial.toString('hex');
  // An authority is there once, and made while the clock was ahead it is to be good as soon as that is right.
  certificate.validity.notBefore = new Date(usage === 'authority' ? 0 : now - CLOCK_SKEW_MS);
  certificate.validity.notAfter = new Date(now + days * DAY_MS);
  certificate.setSubject(usage === 'authority' ? authorityOf(subject) : named(subject));
  certificate.setIssuer(authorityOf(issuer));
  certificate.setExtensions(
    usage === 'authority'
      ? [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
          { name: 'subjectKeyIdentifier' },
        ]
      : [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: usage === 'server', clientAuth: usage === 'client' },
        ],
  );
  certificate.sign(signer(key), ToSign.empty());
  return {
    certificate: pemOf(pki.certificateToAsn1(certificate), CERTIFICATE),
    serial: serial.toString('hex').toUpperCase(),
    expires: certificate.validity.notAfter,
  };
}

function named(siteId: string): forge.pki.CertificateField[] {
  return [{ name: 'commonName', value: siteId }];
}

/** The authority's own name differs from the site's: a certificate whose issuer is its subject would pass for self-signed. */
function authorityOf(siteId: string): forge.pki.CertificateField[] {
  return [...named(siteId), { name: 'organizationalUnitName', value: 'authority' }];
}
