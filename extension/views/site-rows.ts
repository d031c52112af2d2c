import { CONTEXT_TIMEOUT_MS, type ContextView, type KubeconfigProblem } from '../clusters/clusters.ts';
import type { ErrorCode } from '../../runtime/errors.ts';
import type { SiteInCluster } from '../../runtime/kubernetes/types.ts';
import { isDemo, isLaptop, siteKey } from '../sites/site-ref.ts';
import type { SiteView } from '../sites/watched-site.ts';
import { siteNames } from './networks.ts';
import { counted } from '../../runtime/words.ts';
import { BAD, GOOD, joined, OFF, type Row } from './row.ts';
import { problemRow, type RowContext, siteRow, versionWords } from './site-row.ts';
import type { Snapshot } from './snapshot.ts';

/** The rows of *Sites*: what runs on this computer, then the kubeconfig's contexts. */
export function siteRows(snapshot: Snapshot): Row[] {
  const { sites, contexts, version, now } = snapshot;
  const context: RowContext = { nameOf: siteNames(sites), version, now };
  const local = sites.filter(({ ref }) => ref.where === 'local');
  const own = [...local.filter(({ ref }) => isLaptop(ref)), ...local.filter(({ ref }) => !isLaptop(ref) && !isDemo(ref))];
  // Without any row, the view shows its welcome, which says how to get a kubeconfig.
  return [
    ...demoRows(
      snapshot,
      local.filter(({ ref }) => isDemo(ref)),
      context,
    ),
    ...own.map((site) => ({ ...siteRow(site, context), open: true })),
    ...contexts.map((view) => contextRow(view, snapshot, context)),
    ...snapshot.kubeconfigProblems.map(kubeconfigRow),
  ];
}

function demoRows({ demo }: Snapshot, sites: SiteView[], context: RowContext): Row[] {
  if (sites.length === 0 && demo.state === 'off') return [];
  const starting = sites.length === 0;
  return [
    {
      id: 'demo',
      label: 'demo',
      description: starting ? 'starting…' : joined(' · ', ['embedded network', counted(sites.length, 'site')]),
      tooltip: joined('\n', [
        'Sites of an embedded network, as processes of this computer',
        demo.url && `Its frontend: ${demo.url}`,
      ]),
      icon: starting ? OFF : GOOD,
      flags: joined('.', ['demo', demo.state, demo.url && 'browsable']),
      ...(demo.url ? { target: { url: demo.url } } : {}),
      open: true,
      children: sites.map((site) => siteRow(site, context)),
    },
  ];
}

/** `.kube/config is broken at line 3: …`: what is wrong comes before a narrow view cuts it. The whole sentence is in the tooltip. */
function kubeconfigRow({ path, message }: KubeconfigProblem): Row {
  const row = problemRow(`kubeconfig:${path}`, message, { file: path }, 'problem.kubeconfig');
  const [, predicate] = message.split(`The kubeconfig ${path} `);
  const label = path.split(/[/\\]/).slice(-2).join('/');
  if (message === `There is no kubeconfig ${path}.`) return { ...row, label, description: 'is not there' };
  return predicate ? { ...row, label, description: predicate } : row;
}

/** In a word; the row below has the sentence. */
const SILENCE: Partial<Record<ErrorCode, string>> = {
  timeout: `does not answer (${CONTEXT_TIMEOUT_MS / 1000} s)`,
  unreachable: 'cannot be reached',
  unauthorized: 'does not know you',
  forbidden: 'gives you no right to look',
};

function contextRow(view: ContextView, snapshot: Snapshot, context: RowContext): Row {
  const { info, state, found, problem, code } = view;
  const id = `context:${info.name}`;
  const base = { id, label: info.name, target: { context: info.name } };
  const details = joined('\n', [
    `Context ${info.name}${info.current ? ' (current)' : ''}`,
    `${info.server} as ${info.user}`,
    problem,
  ]);
  const again = state === 'asking' && problem !== undefined;
  const sites = (found?.sites ?? []).map((site) => clusterSiteRow(info.name, site, snapshot, context));
  const live = sites.filter(({ flags }) => flags.startsWith('site.cluster.live'));
  if (state === 'silent' || again)
    return {
      ...base,
      description: joined(' · ', [(code && SILENCE[code]) ?? problem, again && 'asking again…']),
      tooltip: details,
      icon: BAD,
      // Whoever may not look here may still have a namespace for a site.
      flags: joined('.', ['context.silent', code === 'forbidden' && code]),
      // What is followed over a connection that stands is shown all the same.
      open: live.length > 0,
      children: [problemRow(`${id}:problem`, problem ?? 'It gives no reason.', base.target), ...live],
    };
  const empty = (found?.namespaces ?? []).filter((name) => !found?.sites.some(({ namespace }) => namespace === name));
  const limited = found?.limited ? [problemRow(`${id}:limited`, found.limited, base.target)] : [];
  const namespaces = snapshot.showAllNamespaces ? empty.map((name) => namespaceRow(info.name, name)) : [];
  return {
    ...base,
    description: found ? (sites.length > 0 ? counted(sites.length, 'site') : 'no site yet') : 'asking…',
    tooltip: details,
    icon: state === 'answered' && sites.length > 0 ? GOOD : OFF,
    flags: 'context.answered',
    open: sites.length > 0,
    children: [...limited, ...sites, ...namespaces],
  };
}

function clusterSiteRow(context: string, site: SiteInCluster, { sites }: Snapshot, rowContext: RowContext): Row {
  const ref = { where: 'cluster' as const, context, namespace: site.namespace };
  const view = sites.find((known) => siteKey(known.ref) === siteKey(ref));
  const { version } = rowContext;
  const upgradable = site.version !== version && 'upgradable';
  if (site.ready && view) {
    const row = siteRow(view, rowContext);
    return { ...row, flags: joined('.', [row.flags, upgradable]), open: true };
  }
  const id = `site:${siteKey(ref)}`;
  return {
    id,
    label: site.namespace,
    description: site.ready
      ? joined(' · ', ['ready', versionWords(site.version, version)])
      : joined(' · ', ['not ready', site.message]),
    tooltip: joined('\n', [`${context}/${site.namespace} (site ${site.name})`, `Version ${site.version}`, site.message]),
    icon: site.ready ? GOOD : BAD,
    flags: joined('.', ['site.cluster', site.ready ? 'ready' : 'pending', upgradable]),
    target: { site: ref, context, namespace: site.namespace },
    children: site.message ? [problemRow(`${id}:message`, site.message, {})] : [],
  };
}

function namespaceRow(context: string, namespace: string): Row {
  return {
    id: `namespace:${context}/${namespace}`,
    label: namespace,
    description: 'no site here',
    icon: OFF,
    flags: 'namespace',
    target: { context, namespace },
  };
}
