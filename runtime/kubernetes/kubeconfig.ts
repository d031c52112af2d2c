/**
 * Kubeconfig files as kubectl reads them: KUBECONFIG's whole list, merged so that the first file to name something wins. Each
 * file stands for itself: a broken one is a sentence, the others are still read. client-node's own loading is not used, because it
 * throws for the first broken file and for a name that two files share, and may start `wsl.exe` on Windows.
 */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { parseDocument } from 'yaml';
import { CaravanError } from '../errors.ts';
import { EXEC_PROVIDER, ExecPlugin } from './exec-plugin.ts';
import type { ContextInfo, ContextRef, KubeconfigPaths, KubeconfigState } from './types.ts';

/** A kubeconfig is a few KB; anything larger than this is another file. Bytes. */
const MAX_KUBECONFIG_BYTES = 4 * 1024 * 1024;

interface Merged {
  files: { path: string; problem?: string }[];
  config: KubeConfig;
  /** By context: the file that names it first. */
  fileOf: Map<string, string>;
}

/** The files that a kubeconfig setting means, in order. */
export function kubeconfigPaths(paths: KubeconfigPaths, env: NodeJS.ProcessEnv = process.env): string[] {
  const listed = (paths ?? env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path.trim() !== '');
  const chosen = listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')];
  // As kubectl does: a file that is named twice is read once.
  return [...new Set(chosen.map((path) => resolve(path.trim().replace(/^~(?=$|[/\\])/, homedir()))))];
}

/** Changes when any of the files does: what was made from them is then made anew. */
export async function kubeconfigStamp(paths: KubeconfigPaths): Promise<string> {
  const stamps = kubeconfigPaths(paths).map(async (path) => {
    const found = await stat(path).catch(() => undefined);
    return found ? `${path} ${found.mtimeMs} ${found.size} ${found.ino}` : `${path} none`;
  });
  return (await Promise.all(stamps)).join('\n');
}

/** Reads the files now; never throws. */
export async function readKubeconfig(paths?: KubeconfigPaths): Promise<KubeconfigState> {
  const { files, config, fileOf } = await merge(paths);
  const contexts = config.contexts.map(({ name, cluster, user, namespace }): ContextInfo => ({
    name,
    cluster,
    user: user ?? '',
    namespace: namespace ?? 'default',
    server: config.getCluster(cluster)?.server ?? '',
    current: name === config.currentContext,
    file: fileOf.get(name)!,
  }));
  return { files, contexts };
}

/** A configuration with exactly what a context uses. Rejects with one sentence where that cannot be had. */
export async function configFor({ kubeconfig, context }: ContextRef): Promise<KubeConfig> {
  const { files, config } = await merge(kubeconfig);
  const problem = files.find((file) => file.problem)?.problem;
  const wanted = config.contexts.find(({ name }) => name === context);
  if (!wanted) {
    const known = config.contexts.map(({ name }) => name).join(', ');
    throw new CaravanError('not-found', problem ?? `The kubeconfig has no context ${context}; it has ${known || 'none at all'}.`);
  }
  const cluster = config.clusters.find(({ name }) => name === wanted.cluster);
  if (!cluster)
    throw new CaravanError(
      'not-found',
      problem ?? `Context ${context} names the cluster ${wanted.cluster}, which the kubeconfig lacks.`,
    );
  const user = config.users.find(({ name }) => name === wanted.user);
  if (!user && wanted.user)
    throw new CaravanError(
      'not-found',
      problem ?? `Context ${context} names the user ${wanted.user}, which the kubeconfig lacks.`,
    );
  const alone = newConfig();
  // A context without a user is an anonymous one. client-node would then leave out the cluster's certificates too.
  const anonymous = { name: 'anonymous' };
  const chosen = user ?? anonymous;
  alone.loadFromOptions({
    clusters: [cluster],
    users: [chosen],
    contexts: [{ ...wanted, user: chosen.name }],
    currentContext: context,
  });
  return alone;
}

function newConfig(): KubeConfig {
  const config = new KubeConfig();
  config.addAuthenticator(new ExecPlugin());
  return config;
}

async function merge(paths: KubeconfigPaths): Promise<Merged> {
  const config = newConfig();
  const files: Merged['files'] = [];
  const fileOf: Merged['fileOf'] = new Map();
  for (const path of kubeconfigPaths(paths)) {
    try {
      const one = parseKubeconfig(await readText(path), path);
      addNew(config.clusters, one.clusters);
      addNew(config.users, one.users);
      addNew(config.contexts, one.contexts);
      for (const { name } of one.contexts) if (!fileOf.has(name)) fileOf.set(name, path);
      config.currentContext ??= one.currentContext;
      files.push({ path });
    } catch (error) {
      files.push({ path, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return { files, config, fileOf };
}

function addNew<T extends { name: string }>(known: T[], more: readonly T[]): void {
  known.push(...more.filter(({ name }) => known.every((entry) => entry.name !== name)));
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_KUBECONFIG_BYTES) throw new CaravanError('bad-request', `${path} is no kubeconfig: it is larger than 4 MiB.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof CaravanError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CaravanError('not-found', `There is no kubeconfig ${path}.`, { cause: error });
    const why = code === 'EACCES' ? 'you may not read it' : code === 'EISDIR' ? 'it is a folder' : String(code ?? error);
    throw new CaravanError('bad-request', `The kubeconfig ${path} cannot be read: ${why}.`, { cause: error });
  }
}

interface RawUser {
  name?: string;
  user?: Record<string, unknown> | null;
}

/** One file. Throws a `CaravanError` that names it and what is wrong in it. */
export function parseKubeconfig(text: string, path: string): KubeConfig {
  const document = parseDocument(text, { logLevel: 'silent' });
  const error = document.errors[0];
  if (error) {
    const line = error.linePos?.[0].line ?? 1;
    throw new CaravanError(
      'bad-request',
      `The kubeconfig ${path} is broken at line ${line}: ${error.message.split(/ at line|\n/)[0]}.`,
    );
  }
  const raw = document.toJS() as { users?: RawUser[]; [key: string]: unknown } | null;
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw))
    throw new CaravanError('bad-request', `The kubeconfig ${path} ${raw === null ? 'is empty' : 'is no kubeconfig'}.`);
  const folder = dirname(path);
  const users = Array.isArray(raw.users) ? raw.users.map((user) => normalUser(user, folder)) : raw.users;
  const config = new KubeConfig();
  try {
    config.loadFromString(JSON.stringify({ ...raw, users }));
  } catch (problem) {
    throw new CaravanError('bad-request', `The kubeconfig ${path} is broken: ${(problem as Error).message}.`, { cause: problem });
  }
  config.makePathsAbsolute(folder);
  return config;
}

/** What client-node reads wrongly or runs badly, said in a way that it hands to the right authenticator. */
function normalUser(entry: RawUser, folder: string): RawUser {
  const { tokenFile, exec, ...user } = entry?.user ?? {};
  if (typeof tokenFile === 'string' && user['token'] === undefined)
    return {
      ...entry,
      user: { ...user, 'auth-provider': { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } } },
    };
  if (typeof exec !== 'object' || exec === null) return { ...entry, user };
  const { command } = exec as { command?: unknown };
  // As kubectl does: a command with a slash in it is relative to its kubeconfig, any other is looked for in PATH.
  const located = typeof command === 'string' && /[/\\]/.test(command) && !isAbsolute(command) ? join(folder, command) : command;
  return { ...entry, user: { ...user, 'auth-provider': { name: EXEC_PROVIDER, config: { ...exec, command: located } } } };
}
