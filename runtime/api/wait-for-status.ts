import type { Status } from './types.ts';

/** A site whose status can be followed, as `ApiClient`. */
export interface Watchable {
  watch(signal: AbortSignal): AsyncIterable<Status>;
}

/** The first status that `wanted` accepts; the last one seen where none comes within `limitMs`. */
export async function waitForStatus(
  site: Watchable,
  wanted: (status: Status) => boolean,
  limitMs: number,
): Promise<Status | undefined> {
  let last: Status | undefined;
  for await (const status of site.watch(AbortSignal.timeout(limitMs))) {
    last = status;
    if (wanted(status)) break;
  }
  return last;
}
