import { type Protocol, PROTOCOLS } from '../runtime/api/vocabulary.ts';

/** Every protocol once, the likeliest first. */
export function protocolsAfter(guess: Protocol): Protocol[] {
  return [...new Set([guess, ...PROTOCOLS])];
}
