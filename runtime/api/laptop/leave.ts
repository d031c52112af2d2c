import type { MadeResource } from '../types.ts';
import { CaravanError } from '../../errors.ts';
import type { ApiClient } from '../client.ts';

/** What is asked of the laptop's router. */
export type Leaving = Pick<ApiClient, 'status' | 'remove' | 'closeProxy' | 'leave' | 'stop'>;

/**
 * Takes the laptop out of its networks: they drop it at once, what it offered and its links go, so that the next join begins with
 * nothing; then its router ends. Can be cancelled until the networks are told: from there on a router that stays would be no use.
 */
export async function leaveNetwork(laptop: Leaving, ended: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const { connectors, links } = await laptop.status(signal);
  const made: MadeResource[] = [
    ...connectors.map(({ name }) => ({ kind: 'Connector' as const, name })),
    ...links.filter(({ direction }) => direction === 'outgoing').map(({ id }) => ({ kind: 'Link' as const, name: id })),
  ];
  signal.throwIfAborted();
  // While the links are still there to carry it: a site that merely loses its links counts as out of reach, and is kept in mind.
  await laptop.leave();
  try {
    for (const resource of made) await laptop.remove(resource).catch(unlessOurs);
    await laptop.closeProxy().catch(unlessOurs);
  } finally {
    await laptop.stop();
  }
  await ended();
}

/** What stands in a file of the user's is theirs to remove; it ends with the router all the same. */
function unlessOurs(error: unknown): void {
  if (!(error instanceof CaravanError && (error.code === 'conflict' || error.code === 'not-found'))) throw error;
}
