import { sentence } from '../errors.ts';

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  EHOSTUNREACH: 'no way leads to that host',
  ENETUNREACH: 'no way leads to that network',
  ETIMEDOUT: 'it does not answer',
};

/** What the system says of a connection that could not be had, in words. */
export function dialProblem(error: unknown): string {
  return WORDS[(error as NodeJS.ErrnoException).code ?? ''] ?? sentence(error);
}
