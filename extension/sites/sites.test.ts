import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalRef } from '../../runtime/api/laptop/local-router.ts';
import type { SiteApi } from './site-api.ts';
import type { ClusterRef } from './site-ref.ts';
import { MAX_WATCHED_SITES, Sites } from './sites.ts';

const laptop: LocalRef = { where: 'local', name: 'laptop', socket: '/l' };
const inCluster = (namespace: string, kubeconfig?: string): ClusterRef => ({
  where: 'cluster',
  context: 'west',
  namespace,
  kubeconfig,
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Sites whose status never comes. */
function setup() {
  const watches: AbortSignal[] = [];
  const api = {
    // oxlint-disable-next-line require-yield
    async *watch(signal: AbortSignal) {
      watches.push(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  } as unknown as SiteApi;
  const sites = new Sites(
    () => api,
    () => {},
    silent,
  );
  return { sites, watches };
}

test('sites of this computer are followed however many there are in clusters', () => {
  const { sites } = setup();
  sites.set(
    'clusters',
    Array.from({ length: MAX_WATCHED_SITES + 3 }, (_, index) => inCluster(`shop-${index}`)),
  );
  assert.equal(sites.views.length, MAX_WATCHED_SITES);
  sites.set('local', [laptop]);
  assert.equal(sites.views.length, MAX_WATCHED_SITES + 1);
  assert.ok(sites.laptop);
  sites.dispose();
});

test('a site of this computer takes no place of one in a cluster', () => {
  const { sites } = setup();
  sites.set('local', [laptop]);
  sites.set(
    'clusters',
    Array.from({ length: MAX_WATCHED_SITES }, (_, index) => inCluster(`shop-${index}`)),
  );
  assert.equal(sites.views.length, MAX_WATCHED_SITES + 1);
  sites.dispose();
});

test('a site is followed anew when its kubeconfig is another one, and only then', () => {
  const { sites, watches } = setup();
  sites.set('clusters', [inCluster('shop', '/a')]);
  sites.set('clusters', [inCluster('shop', '/a')]);
  assert.equal(watches.length, 1);
  sites.set('clusters', [inCluster('shop', '/b')]);
  assert.deepEqual(
    watches.map(({ aborted }) => aborted),
    [true, false],
  );
  assert.deepEqual(sites.view(inCluster('shop'))?.ref, inCluster('shop', '/b'));
  sites.dispose();
});
