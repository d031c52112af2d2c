// node-forge's objects as bytes and text, and back.
import type forge from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';

/**
 * As PEM (RFC 7468). node-forge's own ends its lines with CRLF, which YAML has only in quotes, with escapes: reading and writing those, and PEM itself, takes
 * longer than all the rest, and brings in V8's compilers as well.
 */
export function pemOf(value: forge.asn1.Asn1, label: string): string {
  const base64 = derOf(value).toString('base64');
  return [`-----BEGIN ${label}-----`, ...base64.match(/.{1,64}/g)!, `-----END ${label}-----`, ''].join('\n');
}

/** Throws where the text has none. */
export function fromPem(pem: string, label: string): forge.asn1.Asn1 {
  const [, base64] = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(pem) ?? [];
  if (base64 === undefined) throw new Error('it is not PEM, or it is cut short');
  return fromDer(Buffer.from(base64, 'base64'));
}

export function derOf(value: forge.asn1.Asn1): Buffer {
  return bytesOf(asn1.toDer(value).getBytes());
}

export function fromDer(der: Buffer): forge.asn1.Asn1 {
  return asn1.fromDer(der.toString('binary'));
}

/** node-forge has a string where others have bytes. */
export function bytesOf(binary: string): Buffer {
  return Buffer.from(binary, 'binary');
}
