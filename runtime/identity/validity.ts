import { X509Certificate } from 'node:crypto';

/** From when to when a certificate holds. Milliseconds since 1970. */
export interface Validity {
  from: number;
  until: number;
}

/** Throws where the text is no certificate. */
export function validityOf(pem: string): Validity {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { from: Date.parse(validFrom), until: Date.parse(validTo) };
}

/** From two thirds of its life on a certificate is renewed: the last third is for mending whatever is in the way. */
export function isDue({ from, until }: Validity, now: number): boolean {
  return now >= from + ((until - from) * 2) / 3;
}

/** ISO 8601. */
export function endOf(pem: string): string {
  return new Date(validityOf(pem).until).toISOString();
}
