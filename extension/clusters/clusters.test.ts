import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError } from '../../runtime/errors.ts';
import type { ContextInfo, Kubernetes, KubeconfigState, SitesInContext } from '../../runtime/kubernetes/types.ts';
import { Operations } from '../operations.ts';
import { Clusters } from './clusters.ts';

const info = (name: string): ContextInfo => ({
  name,
  cluster: name,
  user: name,
  namespace: 'default',
  server: `https://${name}`,
  current: false,
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function setup(state: KubeconfigState, findSites: (context: string) => Promise<SitesInContext>, paths?: string) {
  let fileChanged = () => {};
  const siteChanged = new Map<string, () => void>();
  const kubernetes = {
    readKubeconfig: () => Promise.resolve(structuredClone(state)),
    findSites: ({ context }: { context: string }) => findSites(context),
    watchSites: ({ context }: { context: string }, changed: () => void) => void siteChanged.set(context, changed),
  } as unknown as Kubernetes;
  const clusters = new Clusters({
    kubernetes: () => Promise.resolve(kubernetes),
    paths: () => paths,
    changed: () => {},
    log: silent,
    operations: new Operations(silent),
    timeoutMs: 100,
    watch: (_, changed) => {
      fileChanged = changed;
      return { dispose() {} };
    },
  });
  return {
    clusters,
    fileChanged: () => fileChanged(),
    siteChanged,
    states: () => clusters.contexts.map((c) => `${c.info.name} ${c.state}`),
  };
}
const none: SitesInContext = { sites: [], namespaces: ['default'] };

test('a context that does not answer holds up no other', async () => {
  const never = new Promise<SitesInContext>(() => {});
  const { clusters, states } = setup({ files: [], contexts: [info('gone'), info('west')] }, (name) =>
    name === 'gone' ? never : Promise.resolve(none),
  );
  await clusters.start();
  await sleep(20);
  assert.deepEqual(states(), ['gone asking', 'west answered']);
  await sleep(150);
  assert.deepEqual(states(), ['gone silent', 'west answered']);
  assert.equal(clusters.contexts[0]?.problem, 'gone does not answer within 0.1 s.');
  clusters.dispose();
});

test('a cluster that says no is quoted, and asked again on retry', async () => {
  let answer: Promise<SitesInContext> = Promise.reject(new CaravanError('forbidden', 'You may not list Deployments.'));
  answer.catch(() => {});
  const { clusters, states } = setup({ files: [], contexts: [info('west')] }, () => answer);
  await clusters.start();
  await sleep(10);
  assert.equal(clusters.contexts[0]?.problem, 'You may not list Deployments.');
  answer = Promise.resolve(none);
  await clusters.retry('west');
  assert.deepEqual(states(), ['west answered']);
  clusters.dispose();
});

test('a broken kubeconfig keeps the contexts that were read before, a changed one updates them', async () => {
  const state: KubeconfigState = { files: [{ path: import.meta.filename }], contexts: [info('west')] };
  const { clusters, fileChanged, states } = setup(state, () => Promise.resolve(none));
  await clusters.start();
  await sleep(10);
  state.files = [{ path: import.meta.filename, problem: 'Line 3 is not valid YAML.' }];
  state.contexts = [];
  fileChanged();
  await sleep(10);
  assert.deepEqual(states(), ['west answered']);
  assert.equal(clusters.kubeconfig?.files[0]?.problem, 'Line 3 is not valid YAML.');
  state.files = [{ path: import.meta.filename }];
  state.contexts = [info('east')];
  fileChanged();
  await sleep(10);
  assert.deepEqual(states(), ['east answered']);
  clusters.dispose();
});

test('a missing kubeconfig is a problem where it was named, the default one is not', async () => {
  const state = { files: [{ path: '/nowhere/config', problem: 'There is no kubeconfig /nowhere/config.' }], contexts: [] };
  const sentences = { '/nowhere/config': ['There is no kubeconfig /nowhere/config.'], ':': [], '': [] };
  for (const [paths, expected] of Object.entries(sentences)) {
    const { clusters } = setup(state, () => Promise.resolve(none), paths);
    await clusters.start();
    assert.deepEqual(
      clusters.problems.map(({ message }) => message),
      expected,
    );
    assert.equal(clusters.condition, 'missing');
    clusters.dispose();
  }
});

test('a site made elsewhere is found', async () => {
  let found = none;
  const { clusters, siteChanged } = setup({ files: [], contexts: [info('west')] }, () => Promise.resolve(found));
  await clusters.start();
  await sleep(10);
  found = { ...none, sites: [{ namespace: 'shop', name: 'shop', version: '0.1.0', ready: true, wayIn: 'none' }] };
  siteChanged.get('west')?.();
  await sleep(10);
  assert.equal(clusters.contexts[0]?.found?.sites[0]?.name, 'shop');
  clusters.dispose();
});
