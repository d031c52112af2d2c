import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { type ClusterRef, isLaptop, siteKey, siteLabel, type SiteRef } from '../sites/site-ref.ts';
import { type Choice, pick } from './ask.ts';
import { knownContexts } from './known.ts';

/** One of the kubeconfig's contexts. Those that do not answer are listed too, and say so. */
export async function pickContext(caravan: Caravan, title: string): Promise<string> {
  const contexts = await knownContexts(caravan);
  if (contexts.length === 0) throw noContext(caravan);
  const choices = contexts.map(({ info, state, found, problem }) => ({
    label: info.name,
    description:
      state === 'silent' || problem ? `$(warning) ${problem ?? 'does not answer'}` : `${found?.sites.length ?? 0} sites`,
    detail: `${info.server} as ${info.user}`,
    value: info.name,
  }));
  return await pick(title, choices, 'Which cluster?');
}

/** A site in one of the contexts. */
export async function pickClusterSite(caravan: Caravan, title: string): Promise<ClusterRef> {
  const contexts = await knownContexts(caravan);
  const choices = contexts.flatMap(({ info, found }) =>
    (found?.sites ?? []).map(({ namespace, name, ready }) => {
      const value = caravan.clusters.ref(info.name, namespace);
      return { label: siteLabel(value), description: ready ? `site ${name}` : `site ${name}, not ready`, value };
    }),
  );
  if (contexts.length === 0) throw noContext(caravan);
  if (choices.length === 0) throw noSite();
  return await pick(title, choices, 'Which site?');
}

/** Any site that can be an end of a link, this laptop included. */
export async function pickEnd(caravan: Caravan, title: string, placeHolder: string, except?: SiteRef): Promise<SiteRef> {
  const contexts = await knownContexts(caravan);
  const inClusters = contexts.flatMap(({ info, found }) =>
    (found?.sites ?? []).map(({ namespace }) => caravan.clusters.ref(info.name, namespace)),
  );
  const here = caravan.sites.views.map(({ ref }) => ref).filter((ref) => ref.where === 'local' && !isLaptop(ref));
  const choices: Choice<SiteRef>[] = [...inClusters, caravan.laptop.ref, ...here]
    .filter((ref) => !except || siteKey(ref) !== siteKey(except))
    .map((value) => ({ label: siteLabel(value), description: value.where === 'cluster' ? '' : 'on this computer', value }));
  return await pick(title, choices, placeHolder);
}

export function noSite(): CaravanError {
  return new CaravanError('not-found', 'No namespace holds a site yet: create one first.');
}

function noContext({ clusters }: Caravan): CaravanError {
  const { kubeconfig } = clusters;
  const problem = kubeconfig?.files.find((file) => file.problem)?.problem;
  return new CaravanError(
    'not-found',
    problem ?? `${kubeconfig?.files[0]?.path ?? 'The kubeconfig'} has no contexts: add one with your cluster's tool.`,
  );
}
