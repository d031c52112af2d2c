import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkStatus, RedeemTokenRequest, Status } from '../../runtime/api/types.ts';
import { CaravanError } from '../../runtime/errors.ts';
import { linkSites, waitForAccess } from './link-sites.ts';
import type { LinkEnd } from './link-plan.ts';
import type { SiteApi } from './site-api.ts';
import type { ClusterRef, SiteRef } from './site-ref.ts';

const west: ClusterRef = { where: 'cluster', kubeconfig: '/k', context: 'west', namespace: 'shop' };
const laptop: SiteRef = { where: 'local', name: 'laptop', socket: '/s' };
const end = (ref: SiteRef): LinkEnd => ({ ref, id: ref.where, access: [], links: [] });
const link = (state: LinkStatus['state'], message?: string): LinkStatus => ({
  id: 'made',
  site: 'laptop',
  cost: 1,
  state,
  direction: 'outgoing',
  since: '',
  ...(message ? { message } : {}),
});

/** A site whose watch says `links` one after the other; a `null` breaks the connection there. */
function fake(links: (LinkStatus | null)[], redeemed: RedeemTokenRequest[] = []): SiteApi {
  const rest = [...links];
  return {
    issueToken: () => Promise.resolve({ yaml: 'token', name: 't', expires: '', uses: 1 }),
    redeemToken: (request: RedeemTokenRequest) => {
      redeemed.push(request);
      return Promise.resolve({ link: 'made', peer: 'shop' });
    },
    async *watch(signal: AbortSignal) {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        if (next === null) throw new CaravanError('unreachable', 'The connection to the site broke.');
        yield { links: [next] } as Status;
      }
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  } as unknown as SiteApi;
}

const run = (site: SiteApi, signal = new AbortController().signal) => {
  const plan = { outcome: 'link', issuer: end(west), redeemer: end(laptop), sentence: '', portForward: west } as const;
  const steps: string[] = [];
  const work = linkSites(plan, () => site, { signal, progress: (step) => steps.push(step), timeoutMs: 400 });
  return { work, steps };
};

test('a link is made when it is up', async () => {
  const redeemed: RedeemTokenRequest[] = [];
  const { work, steps } = run(fake([link('connecting'), null, link('up')], redeemed));
  await work;
  assert.deepEqual(steps, ['Asking west/shop for a token', 'this laptop redeems it', 'Waiting for the link']);
  assert.deepEqual(redeemed, [{ yaml: 'token', portForward: { kubeconfig: '/k', context: 'west', namespace: 'shop' } }]);
});

test('a link that does not come up says what it met', async () => {
  const { work } = run(fake([link('connecting', 'west does not answer')]));
  await assert.rejects(work, { message: 'The link to west/shop is not up after 0.4 s: west does not answer. It keeps trying.' });
});

test('a link that failed ends the wait', async () => {
  const { work } = run(fake([link('failed', 'The certificate is revoked.')]));
  await assert.rejects(work, { message: 'The link to west/shop failed: The certificate is revoked.' });
});

test('a wait can be cancelled', async () => {
  const stop = new AbortController();
  const { work } = run(fake([link('connecting')]), stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 50);
  await assert.rejects(work, { message: 'enough' });
});

test('a site without an address says so', async () => {
  const site = { async *watch() { yield { access: [] } as unknown as Status; } } as unknown as SiteApi; // prettier-ignore
  await assert.rejects(
    waitForAccess(site, 'west/shop', new AbortController().signal, 100),
    /west\/shop has no address after 0\.1 s/,
  );
});
