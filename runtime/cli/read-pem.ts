import { readFile } from 'node:fs/promises';
import { UsageError } from './arguments.ts';

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
