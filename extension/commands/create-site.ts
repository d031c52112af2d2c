import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { CreateSiteRequest, IngressWish, WayIn } from '../../runtime/kubernetes/types.ts';
import type { Command } from './command.ts';
import { ingressUrl, siteName, WAYS_IN } from '../sites/ways-in.ts';
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
  const ingress = wayIn === 'Ingress' && { ingress: await askIngress(TITLE) };
  const name = siteName(context, namespace, taken);
  await applySite(caravan, { context, namespace, name, wayIn, ...ingress, createNamespace: isNew });
  tell(`The site ${context}/${namespace} is ready.`, { title: 'Link It…', command: 'caravan.linkSites' });
};

/** Creates a site, or applies it again with another way in, and waits until it is ready. */
export async function applySite(caravan: Caravan, request: CreateSiteRequest): Promise<void> {
  const { context, namespace, wayIn } = request;
  await withProgress(`Caravan: site ${context}/${namespace}`, async (progress, signal) => {
    const kubernetes = await caravan.kubernetes();
    const all = { kubeconfig: caravan.clusters.paths, ...routerSettings(), ...request };
    const create = () => kubernetes.createSite(all, progress, { signal });
    await caravan.operations.run(`create site ${context}/${namespace} (${wayIn})`, create);
    await caravan.clusters.retry(context);
  });
}

export async function askIngress(title: string): Promise<IngressWish> {
  const problem = (text: string) => (ingressUrl(text) ? undefined : 'A host name such as shop.example.com, or with a path.');
  const url = ingressUrl(await ask(title, 'At which host name do others reach the Ingress? A path may follow', '', problem))!;
  const className = await ask(title, "Of which Ingress class? Empty: the cluster's own", '', (text) =>
    text.trim() === '' ? undefined : nameProblem(text),
  );
  return { url, ...(className && { className }) };
}

/** What the settings say of routers' pods; nothing where they are as they came. */
export function routerSettings(): Pick<CreateSiteRequest, 'image' | 'podTemplate'> {
  const settings = vscode.workspace.getConfiguration('caravan');
  const image = settings.get('image', '').trim();
  const podTemplate = settings.get<object>('podTemplate', {});
  return { ...(image && { image }), ...(Object.keys(podTemplate).length > 0 && { podTemplate }) };
}

async function pickNamespace(caravan: Caravan, context: string): Promise<{ namespace: string; isNew: boolean }> {
  const view = caravan.clusters.contexts.find(({ info }) => info.name === context);
  // Whoever may not look at the context's own namespace may have another one.
  if (view?.state === 'silent' && view.code !== 'forbidden')
    throw new CaravanError('unreachable', view.problem ?? `${context} does not answer.`);
  const { sites = [], namespaces = [] } = view?.found ?? {};
  const free = namespaces.filter((name) => !name.startsWith('kube-') && !sites.some(({ namespace }) => namespace === name));
  const existing = free.map((name) => ({ label: name, value: name }));
  const another = { label: '$(add) Another namespace…', value: '' };
  const prompt = `In which namespace of ${context}?`;
  const chosen = existing.length > 0 ? await pick(TITLE, [another, ...existing], prompt) : '';
  if (chosen) return { namespace: chosen, isNew: false };
  const problem = (name: string) =>
    sites.some(({ namespace }) => namespace === name.trim()) ? 'That namespace holds a site already.' : nameProblem(name);
  const namespace = await ask(TITLE, `${prompt} One that is there, or a new name`, '', problem);
  return { namespace, isNew: !namespaces.includes(namespace) };
}
