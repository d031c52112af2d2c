import { CaravanError } from '../errors.ts';
import type { ListenerStatus, ListenRequest, MadeResource, Status } from './types.ts';
import { waitForStatus, type Watchable } from './wait-for-status.ts';

/** How long is waited to learn how a listener fares. Milliseconds. */
const SETTLE_MS = 2000;

interface Site extends Watchable {
  listen(request: ListenRequest): Promise<MadeResource>;
  remove(resource: MadeResource): Promise<void>;
}

/**
 * Makes a listener, and tells how it fares: open, or closed as while nobody offers the address; undefined where that is not known in time. One that
 * cannot be had is removed again, and rejects with `conflict` and the reason.
 */
export async function listenSettled(
  site: Site,
  request: ListenRequest,
): Promise<{ made: MadeResource; listener: ListenerStatus | undefined }> {
  const made = await site.listen(request);
  const find = ({ listeners }: Status) => listeners.find(({ name }) => name === made.name);
  const isSettled = (now: Status) => {
    const listener = find(now);
    if (!listener) return false;
    const offered = now.services.some(({ address, destinations }) => address === listener.address && destinations.length > 0);
    return listener.state !== 'closed' || !offered;
  };
  const status = await waitForStatus(site, isSettled, SETTLE_MS);
  const listener = status && find(status);
  if (listener?.state !== 'failed') return { made, listener };
  await site.remove(made);
  throw new CaravanError('conflict', listener.message ?? `${request.address} cannot be listened for at port ${request.port}.`);
}
