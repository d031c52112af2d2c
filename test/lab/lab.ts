// Two Kubernetes clusters for specs, `west` and `east`. This file is what specs import.
//
// They run on this machine, unless CARAVAN_LAB names the folder of a lab that is up (`node test/lab/main.ts up`), or
// CARAVAN_TEST_CONTEXTS names two contexts of the user's kubeconfig (`CARAVAN_TEST_CONTEXTS=a,b`).
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildParts } from './build.ts';
import { cacheDirectory } from './cache.ts';
import { Cluster } from './cluster.ts';
import { command } from './command.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Network } from './network.ts';
import { startNode } from './node.ts';
import { whyClustersCannotRun } from './prerequisites.ts';
import { endRun, newRun, newRunName, removeLeftovers, runLives } from './run.ts';
import { createSilentContext, type SilentContext } from './silent-context.ts';

type Log = (line: string) => void;

/** Two clusters, each of which reaches the other's NodePorts and LoadBalancer addresses, as this machine does. */
export interface Lab {
  west: Cluster;
  east: Cluster;
  /** One file with the contexts of both. */
  kubeconfigPath: string;
  /** What CARAVAN_LAB has to be for others to use it as well. Undefined for the user's clusters. */
  directory: string | undefined;
  /** A context whose API server never answers. */
  silentContext(): Promise<SilentContext>;
  /** Ends what was started for it and deletes the namespaces that were made through it. */
  stop(): Promise<void>;
}

/** What the folder of a lab says of it, so that others can use it and end it. */
interface LabFile {
  run: string;
  kube: string;
  /** Undefined until all of it is up. */
  ready?: {
    silentAddress: string;
    clusters: { name: string; address: string; directory: string }[];
  };
}

/**
 * Installs and builds what the lab needs and is missing: the first time 10 minutes on two cores, later nothing.
 *
 * @param log Is told what takes long.
 * @throws {Error} What is missing and cannot be installed.
 */
export async function prepareLab(log: Log): Promise<void> {
  if (!usesOthers()) await buildParts(log);
}

/** Why there can be no lab here, for skipping the specs that need it, or undefined where there can. */
export function whyLabCannotRun(): string | undefined {
  return usesOthers() ? undefined : whyClustersCannotRun();
}

function usesOthers(): boolean {
  return Boolean(process.env.CARAVAN_LAB || process.env.CARAVAN_TEST_CONTEXTS);
}

/**
 * Gives two clusters, ready for use. Those that it starts take 15 seconds on two cores and end with this process, however it ends.
 *
 * @param log Is told what takes long. Default: stderr.
 */
export async function startLab(log: Log = (line) => console.error(`lab: ${line}`)): Promise<Lab> {
  const { CARAVAN_LAB: directory, CARAVAN_TEST_CONTEXTS: contexts } = process.env;
  if (contexts) return useContexts(contexts.split(','));
  if (directory) return attachLab(directory);
  const run = newRun();
  await createLab({ ...run, attached: true, log });
  return attachLab(run.directory, () => endRun(run));
}

/**
 * Starts both clusters and describes them in a folder, which has to be new: it is removed with the lab.
 *
 * @param options.attached Whether they end with this process.
 * @throws {Error} Where the logs of the failed start are.
 */
export async function createLab(options: { name?: string; directory: string; attached: boolean; log: Log }): Promise<void> {
  const { name: run = newRunName(), directory, attached, log } = options;
  if (existsSync(directory)) throw new Error(`${directory} exists already and is no lab: name a new folder`);
  const parts = await buildParts(log);
  await removeLeftovers();
  const { kube } = parts;
  try {
    // First of all, so that a start that was interrupted can be ended by it.
    await writeLabFile(directory, { run, kube });
    const network = await Network.create(run, { directory: join(directory, 'network'), kube, attached });
    const starts = await Promise.allSettled(
      ['west', 'east'].map((name, at) =>
        startNode({ name, index: at + 1, run, directory: join(directory, name), network, parts, attached, log }),
      ),
    );
    const nodes = starts.map((start) => {
      if (start.status === 'rejected') throw start.reason;
      return start.value;
    });
    const entries = nodes.map(({ kubeconfig }) => kubeconfig);
    await writeKubeconfig(join(directory, 'kubeconfig'), entries);
    const clusters = nodes.map(({ address, directory: own, kubeconfig }) => ({
      name: kubeconfig.context,
      address,
      directory: own,
    }));
    await writeLabFile(directory, { run, kube, ready: { silentAddress: network.silentAddress, clusters } });
  } catch (error) {
    const logs = join(cacheDirectory(), 'failed', run);
    for (const name of ['network', 'west', 'east']) {
      await cp(join(directory, name, 'log'), join(logs, name), { recursive: true }).catch(() => undefined);
    }
    await endRun({ name: run, directory });
    throw new Error(`the lab did not start, its logs are in ${logs}: ${reasons(error)}`, { cause: error });
  }
}

function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasons(error.cause)}`;
}

/** Ends the lab of a folder, if one is there, and removes the folder. */
export async function destroyLab(directory: string): Promise<void> {
  const file = await readLabFile(directory);
  if (file) await endRun({ name: file.run, directory });
}

/** Whether a lab is up in a folder, all of it. */
export async function labIsUp(directory: string): Promise<boolean> {
  const file = await readLabFile(directory);
  return file?.ready !== undefined && runLives(file.run);
}

async function writeLabFile(directory: string, file: LabFile): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'lab.json'), JSON.stringify(file));
}

async function readLabFile(directory: string): Promise<LabFile | undefined> {
  const path = join(directory, 'lab.json');
  return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : undefined;
}

/** @param end Instead of deleting the namespaces that were made through it. */
async function attachLab(directory: string, end?: () => Promise<void>): Promise<Lab> {
  const file = await readLabFile(directory);
  if (!file?.ready || !runLives(file.run))
    throw new Error(`no lab is up in ${directory}: start it with node test/lab/main.ts up`);
  const scratch = await mkdtemp(join(directory, 'scratch-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  const clusters = file.ready.clusters.map(
    ({ name, address, directory: own }) =>
      new Cluster({
        name,
        context: name,
        kubeconfigPath,
        nodeAddress: address,
        logDirectory: join(own, 'log'),
        kubectl: [file.kube, 'kubectl'],
        scratch,
        cache: join(directory, 'kubectl'),
      }),
  );
  return labOf({ clusters, kubeconfigPath, directory, scratch, silentAddress: file.ready.silentAddress, end });
}

async function useContexts(contexts: string[]): Promise<Lab> {
  const scratch = await mkdtemp(join(tmpdir(), 'caravan-lab-'));
  const kubeconfigPath = join(scratch, 'kubeconfig');
  // A copy: specs must not change the user's file, and file names in it may be relative to it.
  await writeFile(kubeconfigPath, await command('kubectl', ['config', 'view', '--raw', '--flatten']), { mode: 0o600 });
  const clusters = await Promise.all(
    ['west', 'east'].map(async (name, at) => {
      const context = contexts[at] ?? contexts[0] ?? '';
      const options = {
        name,
        context,
        kubeconfigPath,
        nodeAddress: '',
        kubectl: ['kubectl'],
        scratch,
        cache: join(scratch, 'cache'),
      };
      return new Cluster({ ...options, nodeAddress: await nodeAddress(new Cluster(options)) });
    }),
  );
  return labOf({ clusters, kubeconfigPath, scratch });
}

/** The address of some node that is most likely to be reached from here. */
async function nodeAddress(cluster: Cluster): Promise<string> {
  const nodes: { items: { status: { addresses: { type: string; address: string }[] } }[] } = JSON.parse(
    await cluster.run('get', 'nodes', '-o', 'json'),
  );
  const addresses = nodes.items.flatMap(({ status }) => status.addresses);
  const best = addresses.find(({ type }) => type === 'ExternalIP') ?? addresses.find(({ type }) => type === 'InternalIP');
  return best?.address ?? '';
}

interface LabOptions {
  clusters: Cluster[];
  kubeconfigPath: string;
  directory?: string;
  scratch: string;
  silentAddress?: string;
  end?: () => Promise<void>;
}

function labOf({ clusters, kubeconfigPath, directory, scratch, silentAddress, end }: LabOptions): Lab {
  const [west, east] = clusters;
  if (!west || !east) throw new Error('a lab has two clusters');
  const silent: SilentContext[] = [];
  return {
    west,
    east,
    kubeconfigPath,
    directory,
    async silentContext() {
      const context = await createSilentContext(scratch, silentAddress);
      silent.push(context);
      return context;
    },
    async stop() {
      for (const each of silent) each.close();
      await (end?.() ?? Promise.all(clusters.map((cluster) => cluster.deleteNamespaces())));
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
