import { setTimeout as sleep } from 'node:timers/promises';

/** How long a person's eye would be given, on a slow machine. Milliseconds. */
export const DEADLINE_MS = 30_000;

export interface UntilOptions {
  /** Milliseconds. Default `DEADLINE_MS`. */
  timeout?: number | undefined;
}

/**
 * Probes until there is a result other than undefined and false, and returns it. A probe that throws has none yet: what it looks at
 * may be drawn anew in that moment.
 *
 * @param what Completes "Waited … for", or is asked for that at the end, to tell what there is instead.
 * @throws {Error} When the deadline has passed; its cause is what the last probe threw.
 */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  probe: () => Promise<T | undefined | false>,
  { timeout = DEADLINE_MS }: UntilOptions = {},
): Promise<T> {
  const deadline = Date.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined && result !== false) return result;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) break;
    await sleep(50);
  }
  const named = typeof what === 'string' ? what : await Promise.resolve(what()).catch(String);
  throw new Error(`Waited ${timeout / 1000} s for ${named}`, { cause });
}
