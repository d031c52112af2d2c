import { createHash } from 'node:crypto';
import { MAX_MADE_NAME_LENGTH } from '../api/vocabulary.ts';

/** A DNS subdomain (RFC 1123), as the Secret in which Kubernetes keeps it is named after it. */
const PLAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * The name of the resource that a command makes for a port of an address: `orders-5432`. Where the address cannot be in a name as it is,
 * a hash follows, so that `orders/db` and `orders-db` do not replace each other.
 */
export function resourceName(address: string, port: number): string {
  const plain = `${address}-${port}`;
  if (PLAIN.test(plain) && plain.length <= MAX_MADE_NAME_LENGTH) return plain;
  const hash = createHash('sha256').update(address).digest('hex').slice(0, 8);
  return [asName(address, MAX_MADE_NAME_LENGTH - 20), port, hash].filter((part) => part !== '').join('-');
}

/** What of a text can be the name of a resource; possibly nothing. */
export function asName(text: string, most = MAX_MADE_NAME_LENGTH): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/-*\.[-.]*/g, '.')
    .slice(0, most)
    .replaceAll(/^[-.]+|[-.]+$/g, '');
}
