import type { Caravan } from '../caravan.ts';
import type { ContextView } from '../clusters/clusters.ts';
import { withProgress } from './ask.ts';

/** Every context, once each has answered or let its time run out: a command needs what the trees can do without. */
export async function knownContexts(caravan: Caravan): Promise<ContextView[]> {
  const { clusters } = caravan;
  await clusters.start();
  // One that is asked again is known for its silence.
  const isAsking = () => clusters.contexts.some(({ state, found, problem }) => state === 'asking' && !found && !problem);
  await wait(caravan, 'Caravan: waiting for clusters', isAsking);
  return clusters.contexts;
}

/** Resolves once every site that the contexts hold has said something, or cannot be reached. */
export async function knownSites(caravan: Caravan): Promise<void> {
  await knownContexts(caravan);
  await wait(caravan, 'Caravan: waiting for sites', () => caravan.sites.views.some(({ state }) => state === 'connecting'));
}

async function wait(caravan: Caravan, title: string, isUnknown: () => boolean): Promise<void> {
  if (!isUnknown()) return;
  await withProgress(title, async (_, signal) => {
    while (isUnknown() && !signal.aborted) await nextChange(caravan);
  });
}

function nextChange({ onChange }: Caravan): Promise<void> {
  return new Promise((resolve) => {
    const listener = onChange(() => {
      listener.dispose();
      resolve();
    });
  });
}
