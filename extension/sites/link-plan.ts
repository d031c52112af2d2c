/** Which of two sites dials the other. Pure: asks nobody. */
import { areLinked } from '../../runtime/api/link-sites.ts';
import type { AccessStatus, LinkStatus } from '../../runtime/api/types.ts';
import { reachedAt } from '../../runtime/words.ts';
import { type ClusterRef, isLaptop, siteKey, siteLabel, type SiteRef } from './site-ref.ts';

/** One end of a link to be: a site, and what its status says. */
export interface LinkEnd {
  ref: SiteRef;
  id: string;
  access: AccessStatus[];
  links: LinkStatus[];
}

export type LinkPlan =
  | { outcome: 'link'; issuer: LinkEnd; redeemer: LinkEnd; sentence: string; portForward?: ClusterRef }
  /** A sentence says why there is nothing to do, or nothing that can be done. */
  | { outcome: 'nothing'; sentence: string }
  /** `ends`: those in clusters, which can be given a way in. */
  | { outcome: 'no-way-in'; sentence: string; ends: ClusterRef[] };

/** The lower, the likelier that somebody far away can use it. */
const REACH: Record<string, number> = { LoadBalancer: 0, direct: 1, tunnel: 1, NodePort: 2 };
const WAY: Record<string, string> = { LoadBalancer: 'through its LoadBalancer', NodePort: 'through a NodePort' };

export function planLink(first: LinkEnd, second: LinkEnd): LinkPlan {
  const [a, b] = [siteLabel(first.ref), siteLabel(second.ref)];
  if (first.id === second.id || siteKey(first.ref) === siteKey(second.ref))
    return { outcome: 'nothing', sentence: `${a} is one site: choose another one for the second end.` };
  if (areLinked(first, second)) return { outcome: 'nothing', sentence: `${a} and ${b} are linked already.` };

  const byPortForward = throughApiServer(first, second) ?? throughApiServer(second, first);
  if (byPortForward) return byPortForward;

  // Clusters cannot reach the loopback address of this computer: a site here always dials out to them.
  const issuers = [first, second].filter((end) => bestAccess(end) && (end.ref.where === 'cluster' || bothLocal(first, second)));
  issuers.sort((x, y) => reach(x) - reach(y));
  const [issuer] = issuers;
  if (!issuer) {
    const ends = [first.ref, second.ref].filter((ref) => ref.where === 'cluster');
    return {
      outcome: 'no-way-in',
      sentence: `Neither ${a} nor ${b} can be reached by the other: one of them needs a way in.`,
      ends,
    };
  }
  const redeemer = issuer === first ? second : first;
  const access = bestAccess(issuer)!;
  const how = WAY[access.way] ? ` ${WAY[access.way]}` : '';
  return {
    outcome: 'link',
    issuer,
    redeemer,
    sentence: `${siteLabel(redeemer.ref)} reaches ${siteLabel(issuer.ref)} at ${reachedAt(access)}${how}.`,
  };
}

/** The laptop has the kubeconfig, so the API server's port-forward leads it into any cluster, way in or not. */
function throughApiServer(from: LinkEnd, to: LinkEnd): LinkPlan | undefined {
  if (!isLaptop(from.ref) || to.ref.where !== 'cluster') return undefined;
  const sentence = `${siteLabel(from.ref)} reaches ${siteLabel(to.ref)} through the API server of ${to.ref.context}.`;
  return { outcome: 'link', issuer: to, redeemer: from, sentence, portForward: to.ref };
}

function bothLocal(a: LinkEnd, b: LinkEnd): boolean {
  return a.ref.where === 'local' && b.ref.where === 'local';
}

function bestAccess({ access }: LinkEnd): AccessStatus | undefined {
  return access.toSorted((x, y) => (REACH[x.way] ?? 1) - (REACH[y.way] ?? 1))[0];
}

function reach(end: LinkEnd): number {
  return REACH[bestAccess(end)?.way ?? ''] ?? 1;
}
