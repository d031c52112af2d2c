import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError } from '../../runtime/errors.ts';
import type { ContextInfo, Kubernetes, KubeconfigState, SitesInContext } from '../../runtime/kubernetes/types.ts';
import { until } from '../../test/support/until.ts';
import { Operations } from '../operations.ts';
import { Clusters } from './clusters.ts';

const info = (name: string): ContextInfo => ({
  name,
  cluster: name,
  user: name,
  namespace: 'default',
  server: `https://${name}`,
  file: '/kubeconfig',
  current: false,
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function setup(
  state: KubeconfigState,
  findSites: (context: string) => Promise<SitesInContext>,
  paths?: string,
  retryMs = 60_000,
) {
  let fileChanged = () => {};
  const siteChanged = new Map<string, () => void>();
  const watches: AbortSignal[] = [];
  const kubernetes = {
    readKubeconfig: () => Promise.resolve(structuredClone(state)),
    findSites: ({ context }: { context: string }) => findSites(context),
    watchSites: ({ context }: { context: string }, changed: () => void, signal: AbortSignal) => {
      siteChanged.set(context, changed);
      watches.push(signal);
    },
  } as unknown as Kubernetes;
  const clusters = new Clusters({
    kubernetes: () => Promise.resolve(kubernetes),
    paths: () => paths,
    changed: () => {},
    log: silent,
    operations: new Operations(silent),
    timeoutMs: 100,
    retryMs,
    watch: (_, changed) => {
      fileChanged = changed;
      return { dispose() {} };
    },
  });
  return {
    clusters,
    fileChanged: () => fileChanged(),
    siteChanged,
    watches,
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

test('a refused sign-in is tried again only when told to, other silence by itself', async () => {
  const asked: string[] = [];
  const state: KubeconfigState = { files: [], contexts: [info('sso'), info('down')] };
  const refuse = (name: string) => {
    asked.push(name);
    return Promise.reject(new CaravanError(name === 'sso' ? 'unauthorized' : 'unreachable', 'No.'));
  };
  const { clusters, fileChanged } = setup(state, refuse, undefined, 30);
  const times = (name: string) => asked.filter((other) => other === name).length;
  await clusters.start();
  await sleep(150);
  assert.equal(times('sso'), 1);
  assert.ok(times('down') > 1);
  await clusters.retry('sso');
  assert.equal(times('sso'), 2);
  fileChanged();
  await sleep(10);
  assert.equal(times('sso'), 3);
  clusters.dispose();
});

test('what a watch says during a search is one more search, whose answer is the last', async () => {
  const site = (name: string) => ({
    ...none,
    sites: [{ namespace: name, name, version: '0.1.0', ready: true, wayIn: 'none' as const }],
  });
  const answers: ((found: SitesInContext) => void)[] = [];
  const { clusters, siteChanged } = setup(
    { files: [], contexts: [info('west')] },
    () => new Promise((resolve) => answers.push(resolve)),
  );
  await clusters.start();
  await sleep(5);
  answers[0]?.(none);
  await sleep(5);
  for (let times = 0; times < 3; times++) siteChanged.get('west')?.();
  await sleep(5);
  assert.equal(answers.length, 2);
  answers[1]?.(site('older'));
  await sleep(5);
  assert.equal(answers.length, 3);
  answers[2]?.(site('newer'));
  await sleep(5);
  assert.equal(answers.length, 3);
  assert.equal(clusters.contexts[0]?.found?.sites[0]?.name, 'newer');
  clusters.dispose();
});

test('a refresh asks each context once, and keeps the last problem until there is an answer', async () => {
  const asked: string[] = [];
  let answer = (): Promise<SitesInContext> => Promise.reject(new CaravanError('unauthorized', 'Who are you?'));
  const { clusters } = setup({ files: [], contexts: [info('west')] }, (name) => (asked.push(name), answer()));
  await clusters.start();
  await sleep(10);
  answer = () => sleep(20, none);
  const refreshed = clusters.refresh();
  await sleep(5);
  const { state, problem, code } = clusters.contexts[0]!;
  assert.deepEqual([state, problem, code], ['asking', 'Who are you?', 'unauthorized']);
  await refreshed;
  assert.deepEqual(clusters.contexts[0], { info: info('west'), state: 'answered', found: none });
  assert.equal(asked.length, 2);
  clusters.dispose();
});

test('a sign-in that is refused after the time of its context is not tried again either', async () => {
  let asked = 0;
  const refuse = async () => {
    asked++;
    await sleep(150);
    throw new CaravanError('unauthorized', 'The sign-in program gave up.');
  };
  const { clusters } = setup({ files: [], contexts: [info('sso')] }, refuse, undefined, 190);
  await clusters.start();
  await sleep(130);
  assert.equal(clusters.contexts[0]?.code, 'timeout');
  await sleep(300);
  assert.equal(clusters.contexts[0]?.problem, 'The sign-in program gave up.');
  assert.equal(asked, 1);
  clusters.dispose();
});

test('a watch ends when its sign-in is refused, and comes back with a retry', async () => {
  let answer = (): Promise<SitesInContext> => Promise.resolve(none);
  const { clusters, siteChanged, states, watches } = setup({ files: [], contexts: [info('sso')] }, () => answer());
  await clusters.start();
  await sleep(10);
  answer = () => Promise.reject(new CaravanError('unauthorized', 'Who are you?'));
  siteChanged.get('sso')?.();
  await sleep(10);
  assert.deepEqual(states(), ['sso silent']);
  answer = () => Promise.resolve(none);
  await clusters.retry('sso');
  assert.deepEqual(states(), ['sso answered']);
  assert.deepEqual(watches.map(({ aborted }) => aborted), [true, false]); // prettier-ignore
  clusters.dispose();
});

test('contexts are asked a few at a time, the current one first', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `c${index}`);
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const contexts = names.map((name) => ({ ...info(name), current: name === 'c7' }));
  const { clusters } = setup({ files: [], contexts }, (name) => {
    asked.push(name);
    return new Promise((resolve) => answers.push(() => resolve(none)));
  });
  await clusters.start();
  await sleep(10);
  assert.deepEqual(asked, ['c7', 'c0', 'c1', 'c2', 'c3', 'c4']);
  for (const answer of answers) answer();
  await until('all to be asked', () => asked.length === 10);
  clusters.dispose();
});

test('a silent context is asked again when somebody looks again', async () => {
  let asked = 0;
  const { clusters, states } = setup(
    { files: [], contexts: [info('west')] },
    () => (asked++ === 0 ? Promise.reject(new CaravanError('unreachable', 'gone')) : Promise.resolve(none)),
    undefined,
    5,
  );
  clusters.seen(false);
  await clusters.start();
  await sleep(50);
  assert.deepEqual([asked, ...states()], [1, 'west silent'], 'while nobody looks');
  clusters.seen(true);
  await until('an answer', () => states()[0] === 'west answered');
  clusters.dispose();
});

test('the sites of a context that refuses the sign-in are followed no more', async () => {
  const site = { namespace: 'shop', name: 'shop', version: '', ready: true, wayIn: 'none' as const };
  let answer = Promise.resolve<SitesInContext>({ sites: [site], namespaces: ['shop'] });
  const { clusters, siteChanged } = setup({ files: [], contexts: [info('west')] }, () => answer);
  await clusters.start();
  await until('the site', () => clusters.readySites.length === 1);
  answer = Promise.reject(new CaravanError('unauthorized', 'west does not know you.'));
  answer.catch(() => {});
  siteChanged.get('west')!();
  await until('none', () => clusters.readySites.length === 0);
  assert.equal(clusters.contexts[0]?.found?.sites.length, 1, 'what was found stays');
  clusters.dispose();
});
