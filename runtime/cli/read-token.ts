import { readFile, stat } from 'node:fs/promises';
import { CaravanError } from '../errors.ts';
import type { Io } from './command.ts';

const MAX_TOKEN_BYTES = 1024 * 1024;

/** A token from a file, `-` for standard input. Rejects with one sentence where that is none. */
export async function readToken(file: string, io: Io): Promise<string> {
  if (file === '-') return io.input();
  try {
    const { size } = await stat(file);
    if (size <= MAX_TOKEN_BYTES) return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
    throw new CaravanError('bad-request', `${file} ${why}: give the file with the token.`, { cause: error });
  }
  throw new CaravanError('token-invalid', `${file} is too large for a token: give the file that "caravan token issue" wrote.`);
}
