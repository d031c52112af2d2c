import { CaravanError } from '../../runtime/errors.ts';
import { isServiceName } from '../../runtime/kubernetes/annotations.ts';
import type { Protocol } from '../../runtime/api/types.ts';
import type { Caravan } from '../caravan.ts';
import { type InDocument, pickWorkload } from '../manifests/pick-workload.ts';
import { exposureAnnotations, propose } from '../manifests/proposal.ts';
import { annotateLive, liveObjects, writeInFile } from '../manifests/write-annotations.ts';
import { ask, type Choice, pick, portProblem, tell } from './ask.ts';

const TITLE = 'Expose on Network';

/** `uri` and `which` come from a code lens. */
export async function exposeOnNetwork(caravan: Caravan, uri?: unknown, which?: unknown): Promise<void> {
  const found = await pickWorkload(TITLE, uri, which);
  const { kind, name } = found.workload;
  const { address, type, port } = await pickExposure(found);
  const annotations = exposureAnnotations(found.workload, { address, type, ...(port ? { port } : {}) });
  const where = await pick<'both' | 'file' | 'cluster'>(TITLE, WHERE, `Where does ${kind} ${name} get its annotations?`);
  if (where !== 'cluster') await writeInFile(found, annotations);
  if (where !== 'file') await inCluster(caravan, found, annotations, where === 'cluster');
}

const WHERE: Choice<'both' | 'file' | 'cluster'>[] = [
  { label: 'In the file and in the cluster', detail: 'Works at once, and stays when the file is applied.', value: 'both' },
  { label: 'In the file', detail: 'Works when the file is applied.', value: 'file' },
  { label: 'In the cluster', detail: 'Works at once, until the file is applied without it.', value: 'cluster' },
];

async function pickExposure({ workload }: InDocument): Promise<{ address: string; type: Protocol; port: number | undefined }> {
  const { address: proposed, types, reason, ports } = propose(workload);
  const port =
    ports.length === 0
      ? Number(await ask(TITLE, `The port that the pods of ${workload.name} listen on`, '', portProblem))
      : undefined;
  const shown = port ?? ports.join(', ');
  const pickType = (address: string, more: Choice<Protocol | undefined>[]) =>
    pick<Protocol | undefined>(
      TITLE,
      [
        ...types.map((value, index) => ({
          label: `${address} · ${value} ${shown}`,
          description: index === 0 ? reason : '',
          value,
        })),
        ...more,
      ],
      'How do others reach it?',
    );
  const type = await pickType(proposed, [{ label: '$(edit) Another address…', value: undefined }]);
  if (type) return { address: proposed, type, port };
  const address = await ask(TITLE, 'The name under which the whole network reaches it', proposed, addressProblem);
  return { address, type: (await pickType(address, []))!, port };
}

/** In every cluster of the network a Service of that name appears. */
function addressProblem(text: string): string | undefined {
  return isServiceName(text.trim()) ? undefined : 'Lower case letters, digits and "-", first a letter, at most 63.';
}

async function inCluster(
  caravan: Caravan,
  found: InDocument,
  annotations: Record<string, string | null>,
  only: boolean,
): Promise<void> {
  const { kind, name } = found.workload;
  const live = await liveObjects(caravan, found);
  if (live.length === 0) {
    const silent = caravan.clusters.contexts.filter(({ state }) => state === 'silent').map(({ info }) => info.name);
    const besides = silent.length > 0 ? ` (${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer)` : '';
    const nowhere = `No context has a live ${kind} ${name}${besides}`;
    if (only) throw new CaravanError('not-found', `${nowhere}: apply the manifest first.`);
    return tell(`${nowhere}: the file is annotated, apply it where it belongs.`);
  }
  const choices = live.map(({ ref }) => ({ label: `${ref.context}/${ref.namespace}`, value: ref }));
  const ref =
    choices.length === 1 ? choices[0]!.value : await pick(TITLE, choices, `In which cluster is ${kind} ${name} exposed?`);
  await annotateLive(caravan, ref, annotations);
}
