import { setTimeout as sleep } from 'node:timers/promises';
import { sentence } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ClusterClient } from '../client.ts';
import { nameOf } from '../objects.ts';
import { restore } from './diverted-service.ts';

/** Somebody may write to a Service in the same moment, or the API server be short of something. */
const ATTEMPTS = 4;
const RETRY_MS = 500;

export interface GiveBackOptions {
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the name of each, before it is written. */
  progress?: (name: string) => void;
}

/**
 * Gives back every Service of a namespace that points at the router: without the router it leads nowhere. They are asked for anew, since a change
 * of one may be on its way. Resolves to how many were given back; what cannot be is logged, and found again by the router that comes next.
 */
export async function giveBackServices(
  client: ClusterClient,
  namespace: string,
  { log, signal, progress }: GiveBackOptions = {},
): Promise<number> {
  const given = new Set<string>();
  for (let attempt = 1; ; attempt++)
    try {
      const { items } = await client.list('Service', namespace, { signal });
      for (const service of items) {
        const change = restore(service);
        if (!change) continue;
        progress?.(nameOf(service));
        await client.patch('Service', namespace, nameOf(service), change, { signal });
        given.add(nameOf(service));
      }
      return given.size;
    } catch (error) {
      if (attempt < ATTEMPTS && !signal?.aborted) {
        await sleep(RETRY_MS);
        continue;
      }
      if (!log) throw error;
      log.error('Services that point at this router could not be given back', { reason: sentence(error) });
      return given.size;
    }
}
