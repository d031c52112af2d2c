import { readFile } from 'node:fs/promises';
import type { KeyPair } from '../api/types.ts';
import { required, UsageError } from './arguments.ts';

/** A certificate or key that an option names. What is in the file is never a part of an error. */
export async function readPem(option: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${option}: ${file} cannot be read (${error.code}).`);
  });
  const start = text.indexOf('-----BEGIN ');
  if (start === -1) throw new UsageError(`${option}: ${file} holds no PEM; it would begin with "-----BEGIN".`);
  // OpenSSL may have written about it before it.
  return text.slice(start);
}

/** The files of `--tls-cert` and `--tls-key`, of which there are both. */
export async function readKeyPair(certificate: string | undefined, key: string | undefined): Promise<KeyPair> {
  return {
    certificate: await readPem('--tls-cert', required('--tls-cert', certificate)),
    key: await readPem('--tls-key', required('--tls-key', key)),
  };
}
