import { type Log, sparing } from './log.ts';

let log: Log | undefined;

/** From now on defects are lines of this log; undefined: they are uncaught errors again, as they are before the first call. */
export function logDefects(to: Log | undefined): void {
  log = to && sparing(to);
}

/**
 * An error that nobody foresaw, met while something was read that a stranger had sent. It costs this one connection, and not the process with
 * all the others: the caller ends the connection. Returns what the other end may be told.
 */
export function defect(error: unknown): string {
  if (!log) throw error;
  log.error('a defect was met, and cost one connection', { error: error instanceof Error ? error.stack : String(error) });
  return 'the router met a defect';
}
