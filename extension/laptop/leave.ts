import type { MadeResource } from '../../runtime/api/types.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { SiteApi } from '../sites/site-api.ts';

/** Takes the laptop out of its networks: what it offered and its links go, so that the next join begins with nothing; then its router ends. */
export async function leaveNetwork(laptop: SiteApi, ended: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const { connectors, links } = await laptop.status(signal);
  const made: MadeResource[] = [
    ...connectors.map(({ name }) => ({ kind: 'Connector' as const, name })),
    ...links.filter(({ direction }) => direction === 'outgoing').map(({ id }) => ({ kind: 'Link' as const, name: id })),
  ];
  for (const resource of made) await laptop.remove(resource, signal).catch(unlessOurs);
  await laptop.stop(signal);
  await ended();
}

/** What stands in a file of the user's is theirs to remove; it ends with the router all the same. */
function unlessOurs(error: unknown): void {
  if (!(error instanceof CaravanError && (error.code === 'conflict' || error.code === 'not-found'))) throw error;
}
