import type { Caravan } from '../caravan.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { CreateSiteRequest, WayIn } from '../../runtime/kubernetes/types.ts';
import type { Command } from './command.ts';
import { siteName, WAYS_IN } from '../sites/ways-in.ts';
import { ask, nameProblem, pick, tell, withProgress } from './ask.ts';
import { pickContext } from './pick-site.ts';

const TITLE = 'Create Site';

export const createSite: Command = async (caravan, row) => {
  const context = row?.target?.context ?? (await pickContext(caravan, TITLE));
  const { namespace, isNew } = row?.target?.namespace
    ? { namespace: row.target.namespace, isNew: false }
    : await pickNamespace(caravan, context);
  const wayIn = await pick<WayIn>(
    TITLE,
    WAYS_IN.map(({ way, label, detail }) => ({ label, detail, value: way })),
    'How do links of other sites come in?',
  );
  const taken = caravan.clusters.contexts.flatMap(({ found }) => found?.sites ?? []).map(({ name }) => name);
  await applySite(caravan, { context, namespace, name: siteName(context, namespace, taken), wayIn, createNamespace: isNew });
  tell(`The site ${context}/${namespace} is ready.`, { title: 'Link It…', command: 'caravan.linkSites' });
};

/** Creates a site, or applies it again with another way in, and waits until it is ready. */
export async function applySite(caravan: Caravan, request: CreateSiteRequest): Promise<void> {
  const { context, namespace, wayIn } = request;
  await withProgress(`Caravan: site ${context}/${namespace}`, async (progress, signal) => {
    const kubernetes = await caravan.kubernetes();
    const create = () => kubernetes.createSite({ kubeconfig: caravan.clusters.paths, ...request }, progress, { signal });
    await caravan.operations.run(`create site ${context}/${namespace} (${wayIn})`, create);
    await caravan.clusters.retry(context);
  });
}

async function pickNamespace(caravan: Caravan, context: string): Promise<{ namespace: string; isNew: boolean }> {
  const view = caravan.clusters.contexts.find(({ info }) => info.name === context);
  if (view?.state === 'silent') throw new CaravanError('unreachable', view.problem ?? `${context} does not answer.`);
  const { sites = [], namespaces = [] } = view?.found ?? {};
  const free = namespaces.filter((name) => !name.startsWith('kube-') && !sites.some(({ namespace }) => namespace === name));
  const existing = free.map((name) => ({ label: name, value: name }));
  const chosen = await pick(
    TITLE,
    [{ label: '$(add) New namespace…', value: '' }, ...existing],
    `In which namespace of ${context}?`,
  );
  if (chosen) return { namespace: chosen, isNew: false };
  const used = (name: string) => (namespaces.includes(name.trim()) ? 'There is such a namespace already.' : nameProblem(name));
  return { namespace: await ask(TITLE, `The new namespace's name in ${context}`, '', used), isNew: true };
}
