import { linkSites as link, findInStatus } from '../../runtime/api/link-sites.ts';
import type { Status } from '../../runtime/api/types.ts';
import type { Progress } from '../../runtime/kubernetes/types.ts';
import type { LinkPlan } from './link-plan.ts';
import type { OpenSite, SiteApi } from './site-api.ts';
import { type SiteRef, siteLabel } from './site-ref.ts';

/** How long a cloud may take to give a load balancer its address. Milliseconds. */
export const ACCESS_MS = 120_000;

interface Waiting {
  signal: AbortSignal;
  progress: Progress;
  timeoutMs?: number;
}

/** Carries out a plan, and resolves when the link is up. */
export async function linkSites(plan: LinkPlan & { outcome: 'link' }, open: OpenSite, waiting: Waiting): Promise<void> {
  const named = ({ ref }: { ref: SiteRef }) => ({ api: open(ref), label: siteLabel(ref) });
  const { context, namespace, kubeconfig } = plan.portForward ?? {};
  const portForward = context && namespace ? { context, namespace, ...(kubeconfig ? { kubeconfig } : {}) } : undefined;
  await link(named(plan.issuer), named(plan.redeemer), { ...waiting, portForward });
}

/** Resolves when the site has a place where links come in. */
export async function waitForAccess(site: SiteApi, label: string, signal: AbortSignal, timeoutMs = ACCESS_MS): Promise<Status> {
  const ready = (status: Status) => (status.access.length > 0 ? status : undefined);
  const late = () =>
    `${label} has no address after ${timeoutMs / 1000} s: the cluster has not given its Service one. A NodePort needs none.`;
  return await findInStatus(site, ready, { signal, timeoutMs, late });
}
