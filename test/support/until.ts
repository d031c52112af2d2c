import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks until there is something other than undefined and false, and returns it. A look that throws counts as not yet.
 *
 * @param what completes "Waited … for"
 * @throws {Error} after the deadline (default 30 s), with what the last look threw as its cause
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs / 1000} s for ${what}`, { cause });
    await sleep(25);
  }
}
