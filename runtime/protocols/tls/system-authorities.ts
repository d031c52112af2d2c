import { readFileSync } from 'node:fs';

/** Where systems keep the authorities that they trust, as one file: Debian, Red Hat, Alpine and macOS. */
const FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

let known: string | undefined;

/**
 * The authorities that the system trusts, PEM: OpenSSL's SSL_CERT_FILE, else the system's file. Undefined where there is none; Node's own
 * list verifies then. Read once: a system's trust changes with its updates.
 */
export function systemAuthorities(): string | undefined {
  const chosen = process.env['SSL_CERT_FILE'];
  for (const file of chosen ? [chosen] : FILES) known ??= read(file);
  return known;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
