/** Linking two running sites, whoever asks for it: the editor or the command line. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError } from '../errors.ts';
import type { ApiClient } from './client.ts';
import type { LinkStatus, PortForward, Status } from './types.ts';

/** How long a new link may take until it carries traffic. Milliseconds. */
export const LINK_UP_MS = 30_000;

export type Issuer = Pick<ApiClient, 'issueToken'>;
export type Redeemer = Pick<ApiClient, 'redeemToken'> & Watched;
/** A site whose statuses can be followed. */
export interface Watched {
  watch(signal: AbortSignal): AsyncIterable<Status>;
}

interface Waiting {
  signal: AbortSignal;
  progress: (step: string) => void;
  /** Default `LINK_UP_MS`. */
  timeoutMs?: number | undefined;
}

/** A site, and what people call it. */
interface Named<Api> {
  api: Api;
  label: string;
}

/** Issues a token at one site, redeems it at the other, and resolves when the link is up. `portForward`: the way to the issuer. */
export async function linkSites(
  issuer: Named<Issuer>,
  redeemer: Named<Redeemer>,
  { portForward, ...waiting }: Waiting & { portForward?: PortForward | undefined },
): Promise<void> {
  waiting.progress(`Asking ${issuer.label} for a token`);
  const { yaml } = await issuer.api.issueToken({ expires: '5m', uses: 1 }, waiting.signal);
  await redeemAndWait(redeemer, { yaml, ...(portForward && { portForward }) }, { ...waiting, to: issuer.label });
}

/** Redeems a token, and resolves to the other site's name when the link is up. `to`: what people call that site, where it is known. */
export async function redeemAndWait(
  { api, label }: Named<Redeemer>,
  token: { yaml: string; portForward?: PortForward },
  { signal, progress, timeoutMs = LINK_UP_MS, to }: Waiting & { to?: string },
): Promise<string> {
  progress(`${label} redeems it`);
  const { link, peer } = await api.redeemToken(token, signal);
  progress('Waiting for the link');
  await waitForLink(api, link, { signal, timeoutMs, to: to ?? peer });
  return peer;
}

/** Whether two sites are linked with one another, whoever of them dials. */
export function areLinked(a: { id: string; links: LinkStatus[] }, b: { id: string; links: LinkStatus[] }): boolean {
  const between = [...a.links.filter(({ peerId }) => peerId === b.id), ...b.links.filter(({ peerId }) => peerId === a.id)];
  return between.some(({ state }) => state === 'up');
}

/** Resolves when the link is up. Rejects with what the link says of itself when it failed or the time is over. */
async function waitForLink(
  site: Watched,
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
  await findInStatus(site, up, { signal, timeoutMs, late });
}

/** What `wanted` finds in one of the site's statuses, the first that has it. Rejects with `late` where none has in time. */
export async function findInStatus<T>(
  site: Watched,
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
async function* follow(site: Watched, signal: AbortSignal): AsyncGenerator<Status, void, undefined> {
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
