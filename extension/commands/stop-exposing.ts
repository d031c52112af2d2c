import { PROXY } from '../../runtime/kubernetes/annotations.ts';
import type { Caravan } from '../caravan.ts';
import { pickWorkload } from '../manifests/pick-workload.ts';
import { NO_EXPOSURE } from '../manifests/proposal.ts';
import { annotateLive, liveObjects, writeInFile } from '../manifests/write-annotations.ts';
import { tell } from './ask.ts';

/** Takes the annotations away, in the file and wherever the object lives with them. `uri` and `which` come from a code lens. */
export async function stopExposing(caravan: Caravan, uri?: unknown, which?: unknown): Promise<void> {
  const found = await pickWorkload('Stop Exposing', uri, which);
  await writeInFile(found, NO_EXPOSURE);
  const exposed = (await liveObjects(caravan, found)).filter(({ annotations }) => PROXY in annotations);
  for (const { ref } of exposed) await annotateLive(caravan, ref, NO_EXPOSURE);
  const places = exposed.map(({ ref }) => `${ref.context}/${ref.namespace}`);
  tell(`${found.workload.name} is no longer exposed${places.length > 0 ? ` in ${places.join(', ')}` : ' by this file'}.`);
}
