import type { ApiClient } from '../api/client.ts';
import type { Status } from '../api/types.ts';

/** The first status that `wanted` accepts; the last one seen where none comes within `limitMs`. */
export async function waitForStatus(
  client: ApiClient,
  wanted: (status: Status) => boolean,
  limitMs: number,
): Promise<Status | undefined> {
  let last: Status | undefined;
  for await (const status of client.watch(AbortSignal.timeout(limitMs))) {
    last = status;
    if (wanted(status)) break;
  }
  return last;
}
