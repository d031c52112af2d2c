import { setTimeout as sleep } from 'node:timers/promises';
import type { PortForward, Status } from '../../runtime/api/types.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { Progress } from '../../runtime/kubernetes/types.ts';
import type { LinkPlan } from './link-plan.ts';
import type { OpenSite, SiteApi } from './site-api.ts';
import { type ClusterRef, siteLabel } from './site-ref.ts';

/** How long a new link may take until it carries traffic. Milliseconds. */
export const LINK_UP_MS = 30_000;
/** How long a cloud may take to give a load balancer its address. Milliseconds. */
export const ACCESS_MS = 120_000;

interface Waiting {
  signal: AbortSignal;
  progress: Progress;
  timeoutMs?: number;
}

/** Issues a token at one site, redeems it at the other, and resolves when the link is up. */
export async function linkSites(
  plan: LinkPlan & { outcome: 'link' },
  open: OpenSite,
  { signal, progress, timeoutMs }: Waiting,
): Promise<void> {
  const [issuer, redeemer] = [open(plan.issuer.ref), open(plan.redeemer.ref)];
  progress(`Asking ${siteLabel(plan.issuer.ref)} for a token`);
  const { yaml } = await issuer.issueToken({ expires: '5m', uses: 1 }, signal);
  progress(`${siteLabel(plan.redeemer.ref)} redeems it`);
  const portForward = plan.portForward && toPortForward(plan.portForward);
  const { link } = await redeemer.redeemToken(portForward ? { yaml, portForward } : { yaml }, signal);
  progress('Waiting for the link');
  await waitForLink(redeemer, link, { signal, timeoutMs: timeoutMs ?? LINK_UP_MS, to: siteLabel(plan.issuer.ref) });
}

function toPortForward({ kubeconfig, context, namespace }: ClusterRef): PortForward {
  return { context, namespace, ...(kubeconfig ? { kubeconfig } : {}) };
}

/** Resolves when the link is up. Rejects with what the link says of itself when it failed or the time is over. */
export async function waitForLink(
  site: SiteApi,
  link: string,
  options: { signal: AbortSignal; timeoutMs: number; to: string },
): Promise<void> {
  const { signal, timeoutMs, to } = options;
  let last = '';
  const up = ({ links }: Status) => {
    const found = links.find(({ id }) => id === link);
    last = found?.message ?? last;
    if (found?.state === 'failed')
      throw new CaravanError('unreachable', `The link to ${to} failed: ${ended(last || 'it gives no reason')}`);
    return found?.state === 'up' || undefined;
  };
  const late = () =>
    `The link to ${to} is not up after ${timeoutMs / 1000} s: ${ended(last || 'the other side has not answered yet')} It keeps trying.`;
  await waitForStatus(site, up, { signal, timeoutMs, late });
}

/** Resolves when the site has a place where links come in. */
export async function waitForAccess(site: SiteApi, label: string, signal: AbortSignal, timeoutMs = ACCESS_MS): Promise<Status> {
  const ready = (status: Status) => (status.access.length > 0 ? status : undefined);
  const late = () =>
    `${label} has no address after ${timeoutMs / 1000} s: the cluster has not given its Service one. A NodePort needs none.`;
  return await waitForStatus(site, ready, { signal, timeoutMs, late });
}

async function waitForStatus<T>(
  site: SiteApi,
  wanted: (status: Status) => T | undefined,
  { signal, timeoutMs, late }: { signal: AbortSignal; timeoutMs: number; late: () => string },
): Promise<T> {
  for await (const status of follow(site, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))) {
    const result = wanted(status);
    if (result !== undefined) return result;
  }
  signal.throwIfAborted();
  throw new CaravanError('timeout', late());
}

const PASSING = new Set<string>(['unreachable', 'not-running', 'timeout']);

/** A site's statuses, through connections that break on the way: a site restarts when its Deployment changes. */
async function* follow(site: SiteApi, signal: AbortSignal): AsyncGenerator<Status, void, undefined> {
  while (!signal.aborted) {
    try {
      yield* site.watch(signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof CaravanError && PASSING.has(error.code))) throw error;
    }
    await sleep(250, undefined, { signal }).catch(() => {});
  }
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
