import { CARRIED_PROTOCOLS, type Protocol } from '../runtime/api/vocabulary.ts';

/** What routers carry today, the likeliest first, each once: choices offer nothing else. */
export function protocolsAfter(guess: Protocol): Protocol[] {
  return [...new Set([guess, ...CARRIED_PROTOCOLS])].filter((type) => CARRIED_PROTOCOLS.includes(type));
}
