import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything may take on a slow machine. Milliseconds. */
export const DEADLINE_MS = 30_000;

export interface UntilOptions {
  /** Default `DEADLINE_MS`. */
  timeoutMs?: number | undefined;
}

/**
 * Looks until there is something other than undefined and false, and returns it. A look that throws counts as not yet: what it looks
 * at may be made anew in that moment.
 *
 * @param what Completes "Waited … for", or is asked for that at the end, to tell what there is instead.
 * @throws {Error} After the deadline, with what the last look threw as its cause.
 */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = DEADLINE_MS }: UntilOptions = {},
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
    if (Date.now() > deadline) break;
    await sleep(25);
  }
  const named = typeof what === 'string' ? what : await Promise.resolve().then(what).catch(String);
  throw new Error(`Waited ${timeoutMs / 1000} s for ${named}`, { cause });
}
