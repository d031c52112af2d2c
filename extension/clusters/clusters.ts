import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { CaravanError, type ErrorCode, sentence } from '../../runtime/errors.ts';
import type {
  ContextInfo,
  Kubernetes,
  KubeconfigPaths,
  KubeconfigState,
  SitesInContext,
} from '../../runtime/kubernetes/types.ts';
import { atMost } from '../at-most.ts';
import type { DisposableLike, LogLike } from '../like.ts';
import type { Operations } from '../operations.ts';
import type { ClusterRef } from '../sites/site-ref.ts';
import { watchFiles } from './file-watcher.ts';

/** A context that has not answered by then is shown as such; the others never wait for it. */
export const CONTEXT_TIMEOUT_MS = 5000;
/** A context that did not answer is asked again this often, while somebody looks; a refused sign-in only when told to. */
const RETRY_MS = 60_000;
/** Each may start a sign-in program, and forty at once would hold each other up beyond their time. */
const MOST_AT_ONCE = 6;

export interface ContextView {
  info: ContextInfo;
  state: 'asking' | 'answered' | 'silent';
  /** The last that was found; kept while it is asked again. */
  found?: SitesInContext;
  /** One sentence: why it is silent; kept while it is asked again. */
  problem?: string;
  /** What kind of silence: `timeout`, `unreachable`, `unauthorized`, `forbidden`. */
  code?: ErrorCode;
}

/** Why a kubeconfig file gives nothing, in one sentence. */
export interface KubeconfigProblem {
  path: string;
  message: string;
}

/** `unread` until a view is visible; `broken`: a file is there and cannot be read; `empty`: it has no contexts. */
export type KubeconfigCondition = 'unread' | 'missing' | 'broken' | 'empty' | 'ready';

export interface ClustersOptions {
  kubernetes: () => Promise<Kubernetes>;
  paths: () => KubeconfigPaths;
  changed: () => void;
  log: LogLike;
  operations: Operations;
  timeoutMs?: number;
  retryMs?: number;
  watch?: typeof watchFiles;
}

/** What is known of the kubeconfig's contexts. Asks nothing of a cluster before `start`. */
export class Clusters implements DisposableLike {
  kubeconfig: KubeconfigState | undefined;
  /** Of the files that were read last; the default one that nobody has made yet is none. */
  problems: KubeconfigProblem[] = [];
  readonly #options: ClustersOptions;
  readonly #contexts = new Map<string, ContextView>();
  readonly #watches = new Map<string, AbortController>();
  #files: { paths: string; watcher: DisposableLike } | undefined;
  #retry: NodeJS.Timeout | undefined;
  #started: Promise<void> | undefined;
  readonly #inTurn = atMost(MOST_AT_ONCE);
  #isSeen = true;

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  get contexts(): ContextView[] {
    return [...this.#contexts.values()];
  }

  /** Sites whose router is ready. None where the sign-in was refused: each further try would open a browser. */
  get readySites(): ClusterRef[] {
    return this.contexts
      .filter(({ code }) => code !== 'unauthorized')
      .flatMap(({ info, found }) =>
        (found?.sites ?? []).filter(({ ready }) => ready).map(({ namespace }) => this.ref(info.name, namespace)),
      );
  }

  get condition(): KubeconfigCondition {
    if (!this.kubeconfig) return 'unread';
    if (isBroken(this.kubeconfig)) return 'broken';
    if (this.#contexts.size > 0) return 'ready';
    return this.kubeconfig.files.every(({ problem }) => problem) ? 'missing' : 'empty';
  }

  /** The kubeconfig as others must be told it: this process's KUBECONFIG is not theirs. */
  get paths(): string | undefined {
    return this.kubeconfig?.files.map(({ path }) => path).join(delimiter) ?? this.#options.paths();
  }

  /** Reads the kubeconfig and asks every context at once; further calls do nothing. Resolves when the contexts are known. */
  start(): Promise<void> {
    this.#retry ??= setInterval(() => this.#askSilent(), this.#options.retryMs ?? RETRY_MS).unref();
    return (this.#started ??= this.reload());
  }

  /** Reads the kubeconfig again: contexts that are new, changed or silent are asked. */
  async reload(): Promise<void> {
    await this.#load(false);
  }

  /** Asks every context again. */
  async refresh(): Promise<void> {
    const { asked } = await this.#load(true);
    await Promise.all(asked);
  }

  async #load(askAll: boolean): Promise<{ asked: Promise<void>[] }> {
    const kubernetes = await this.#options.kubernetes();
    const before = this.kubeconfig;
    const paths = this.#options.paths();
    this.kubeconfig = withLastGood(await kubernetes.readKubeconfig(paths), before);
    this.problems = problemsOf(this.kubeconfig, paths);
    this.#watchFiles(this.kubeconfig);
    for (const { message } of this.problems) this.#options.log.warn(message);
    const infos = new Map(this.kubeconfig.contexts.map((info) => [info.name, info]));
    for (const name of this.#contexts.keys()) if (!infos.has(name)) this.#forget(name);
    const asked: Promise<void>[] = [];
    // The current one first: it is what most people wait for.
    const inOrder = [...infos].sort(([, a], [, b]) => Number(b.current) - Number(a.current));
    for (const [name, info] of inOrder) {
      const known = this.#contexts.get(name);
      // While a file is broken there is nothing to ask with: what was known stays.
      const stays = isBroken(this.kubeconfig) || (known?.state !== 'silent' && known && sameCluster(known.info, info));
      if (known && stays && !askAll) known.info = info;
      else asked.push(this.ask(info));
    }
    this.#options.changed();
    return { asked };
  }

  /** While nobody looks, contexts that did not answer are left in peace. */
  seen(isSeen: boolean): void {
    const shown = isSeen && !this.#isSeen;
    this.#isSeen = isSeen;
    if (shown) this.#askSilent();
  }

  async retry(name: string): Promise<void> {
    const known = this.#contexts.get(name);
    if (known) await this.ask(known.info);
  }

  ref(context: string, namespace: string): ClusterRef {
    return { where: 'cluster', kubeconfig: this.paths, context, namespace };
  }

  dispose(): void {
    clearInterval(this.#retry);
    this.#files?.watcher.dispose();
    for (const name of this.#contexts.keys()) this.#forget(name);
  }

  async ask(info: ContextInfo): Promise<void> {
    const { kubernetes, operations, changed } = this.#options;
    const { name } = info;
    this.#watches.get(name)?.abort();
    const stop = new AbortController();
    this.#watches.set(name, stop);
    const show = (view: Omit<ContextView, 'info'>) => {
      if (stop.signal.aborted) return;
      this.#contexts.set(name, { ...withoutProblem(this.#contexts.get(name)), info, ...view });
      changed();
    };
    const known = this.#contexts.get(name);
    show({ state: 'asking', ...(known && sameCluster(known.info, info) ? problemOf(known) : {}) });
    try {
      const client = await kubernetes();
      const find = () => this.#find(name, client, stop.signal);
      const found = await this.#inTurn(() => operations.run(`find sites in ${name}`, find));
      show({ state: 'answered', found });
      // Also what comes too late for an answer that another question has replaced.
      if (stop.signal.aborted) return;
      const again = oneAtATime(() => this.#findAgain(name, client, stop.signal));
      client.watchSites({ kubeconfig: this.paths, context: name }, again, stop.signal);
    } catch (error) {
      show({ state: 'silent', problem: sentence(error), ...codeOf(error) });
    }
  }

  async #find(name: string, client: Kubernetes, signal: AbortSignal): Promise<SitesInContext> {
    const timeoutMs = this.#options.timeoutMs ?? CONTEXT_TIMEOUT_MS;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const work = client.findSites({ kubeconfig: this.paths, context: name }, { signal: limit, timeoutMs });
    work.catch((error: unknown) => this.#refused(name, error, signal));
    try {
      return await withLimit(work, limit);
    } catch (error) {
      const late = limit.aborted || (error instanceof CaravanError && error.code === 'timeout');
      if (signal.aborted || !late) throw error;
      throw new CaravanError('timeout', `${name} does not answer within ${timeoutMs / 1000} s.`, { cause: error });
    }
  }

  /** A sign-in program may give up long after the time that a context has: then the context is not one that is only late. */
  #refused(name: string, error: unknown, signal: AbortSignal): void {
    const known = this.#contexts.get(name);
    if (signal.aborted || known?.code !== 'timeout' || !(error instanceof CaravanError && error.code === 'unauthorized')) return;
    this.#contexts.set(name, { ...known, problem: error.message, code: error.code });
    this.#watches.get(name)?.abort();
    this.#options.changed();
  }

  /** After the watch spoke: what was found before stays where the cluster has gone away meanwhile. */
  async #findAgain(name: string, client: Kubernetes, signal: AbortSignal): Promise<void> {
    const known = this.#contexts.get(name);
    if (!known || signal.aborted) return;
    try {
      const found = await this.#find(name, client, signal);
      if (signal.aborted) return;
      this.#contexts.set(name, { info: known.info, state: 'answered', found });
    } catch (error) {
      if (signal.aborted) return;
      this.#contexts.set(name, { ...known, state: 'silent', problem: sentence(error), ...codeOf(error) });
      // Its watch would sign in again and again.
      if (error instanceof CaravanError && error.code === 'unauthorized') this.#watches.get(name)?.abort();
    }
    this.#options.changed();
  }

  #askSilent(): void {
    if (!this.#isSeen) return;
    // A sign-in program that was refused would open a browser every time: that waits for a person, or another kubeconfig.
    for (const { state, code, info } of this.contexts) if (state === 'silent' && code !== 'unauthorized') void this.ask(info);
  }

  #forget(name: string): void {
    this.#watches.get(name)?.abort();
    this.#watches.delete(name);
    this.#contexts.delete(name);
  }

  #watchFiles({ files }: KubeconfigState): void {
    const paths = files.map(({ path }) => path);
    if (this.#files?.paths === paths.join(delimiter)) return;
    this.#files?.watcher.dispose();
    const reload = () => void this.reload().catch((error) => this.#options.log.error(sentence(error)));
    this.#files = { paths: paths.join(delimiter), watcher: (this.#options.watch ?? watchFiles)(paths, reload) };
  }
}

/** Rejects when the signal aborts, even where the callee does not listen to it: an exec plugin may wait for a person. */
function withLimit<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

/** While a file is broken (not gone), the contexts it had stay: people edit these files by hand. */
function withLastGood(now: KubeconfigState, before: KubeconfigState | undefined): KubeconfigState {
  if (!before || !isBroken(now)) return now;
  const names = new Set(now.contexts.map(({ name }) => name));
  return { ...now, contexts: [...now.contexts, ...before.contexts.filter(({ name }) => !names.has(name))] };
}

/** A file that is not there is worth a sentence only where somebody named it: not every computer has a cluster. */
function problemsOf({ files }: KubeconfigState, named: KubeconfigPaths): KubeconfigProblem[] {
  const isDefault = !named?.split(delimiter).some((path) => path.trim());
  return files.flatMap(({ path, problem }) =>
    problem && !(isDefault && !existsSync(path))
      ? [{ path, message: problem.includes(path) ? problem : `${path}: ${problem}` }]
      : [],
  );
}

/** Runs the work one at a time; calls meanwhile are one more run after it, so that an older answer is never the last. */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await work();
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}

function problemOf({ problem, code }: ContextView): Pick<ContextView, 'problem' | 'code'> {
  return { ...(problem === undefined ? {} : { problem }), ...(code === undefined ? {} : { code }) };
}

function withoutProblem(view: ContextView | undefined): Pick<ContextView, 'found'> {
  return view?.found ? { found: view.found } : {};
}

function codeOf(error: unknown): Pick<ContextView, 'code'> {
  return error instanceof CaravanError ? { code: error.code } : {};
}

function isBroken({ files }: KubeconfigState): boolean {
  return files.some(({ path, problem }) => problem && existsSync(path));
}

function sameCluster(a: ContextInfo, b: ContextInfo): boolean {
  return a.server === b.server && a.user === b.user && a.cluster === b.cluster && a.namespace === b.namespace;
}
