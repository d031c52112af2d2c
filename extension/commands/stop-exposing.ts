import { PROXY } from '../../runtime/kubernetes/annotations.ts';
import type { Caravan } from '../caravan.ts';
import { atEach, failedAt, type LiveObject, placeOf } from '../manifests/live-objects.ts';
import { pickWorkload } from '../manifests/pick-workload.ts';
import { NO_EXPOSURE } from '../manifests/proposal.ts';
import { annotateLive, liveObjects, writeInFile } from '../manifests/write-annotations.ts';
import { pickSome, tell } from './ask.ts';

const TITLE = 'Stop Exposing';

/** Takes the annotations away, in the file and where the object lives with them. `uri` and `which` come from a code lens. */
export async function stopExposing(caravan: Caravan, uri?: unknown, which?: unknown): Promise<void> {
  const found = await pickWorkload(TITLE, uri, which);
  const { name } = found.workload;
  const exposed = (await liveObjects(caravan, found)).filter(({ annotations }) => PROXY in annotations);
  const chosen = exposed.length > 0 ? await choose(name, exposed) : exposed;
  await writeInFile(found, NO_EXPOSURE);
  const refs = chosen.map(({ ref }) => ref);
  const { done, failed } = await atEach(refs, (ref) => annotateLive(caravan, ref, NO_EXPOSURE));
  if (done.length > 0 || failed.length === 0)
    tell(`${name} is no longer exposed${done.length > 0 ? ` in ${done.join(', ')}` : ' by this file'}.`);
  if (failed.length > 0) throw failedAt(`${name} is still exposed in`, failed);
}

function choose(name: string, exposed: LiveObject[]): Promise<LiveObject[]> {
  const choices = exposed.map((object) => ({ label: placeOf(object.ref), value: object }));
  return pickSome(TITLE, choices, `Where is ${name} no longer exposed, besides this file?`);
}
