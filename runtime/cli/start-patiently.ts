import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError, sentence } from '../errors.ts';
import type { Log } from '../log.ts';

/** Between tries: doubles from the first to the last. Milliseconds. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

interface Options {
  log: Log;
  /** Ends the trying; a try that runs is not ended by it. */
  signal: AbortSignal;
  firstRetryMs?: number;
}

/**
 * Starts something that needs the API server, again and again until it can be reached: after a node's restart it may come later than its pods,
 * and a process that ended for it would be started ever more seldom. Rejects with a defect, or with the signal.
 */
export async function startPatiently<T>(
  start: () => Promise<T>,
  { log, signal, firstRetryMs = FIRST_RETRY_MS }: Options,
): Promise<T> {
  let told: string | undefined;
  for (let waitMs = firstRetryMs; ; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof CaravanError)) throw error;
      if (told !== sentence(error)) log.warn('cannot start yet, and goes on trying', { error });
      told = sentence(error);
    }
    await sleep(waitMs, undefined, { signal });
  }
}
