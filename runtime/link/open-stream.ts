import type { Place } from '../routing/types.ts';
import { INITIAL_WINDOW_BYTES } from './credit.ts';
import { noHandler, type StreamHandler, type StreamPort } from './raw-stream.ts';
import { StreamError } from './reason.ts';

/**
 * Asks the far end to take a stream. In the moment that it does `taken` is called, with what it takes to begin with and the members of a
 * multicast that are lost already; it gives the stream its handler, so that nothing is missed of what follows. Rejects with a
 * `StreamError` where the stream is refused or not answered in time.
 */
export function openStream<T>(
  raw: StreamPort,
  info: unknown,
  withinMs: number,
  taken: (window: number, lost: readonly Place[]) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      raw.sendReset({ code: 'reset', message: 'the connection was closed' });
      reject(new StreamError({ code: 'timeout', message: `there was no answer (${withinMs / 1000} s)` }));
    }, withinMs);
    const fail = (error: StreamError) => {
      clearTimeout(timer);
      reject(error);
    };
    const lost: Place[] = [];
    raw.handler = {
      ...noHandler,
      opened: (window) => {
        clearTimeout(timer);
        resolve(taken(window, lost));
      },
      refused: (reason) => fail(new StreamError(reason)),
      reset: (reason) => fail(new StreamError(reason)),
      lost: (members) => lost.push(...members),
      data: () => {
        const reason = { code: 'protocol', message: 'it sends on a stream that it has not taken' } as const;
        raw.sendReset(reason);
        fail(new StreamError(reason));
      },
    } satisfies StreamHandler;
    if (raw.closed) fail(new StreamError({ code: 'link-lost', message: 'the link was lost' }));
    else raw.sendOpen(INITIAL_WINDOW_BYTES, info);
  });
}
