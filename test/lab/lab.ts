// Two Kubernetes clusters for specs, `west` and `east`. This file is what specs import.
//
// They run on this machine, unless CARAVAN_LAB names the folder of a lab that is up (`node test/lab/main.ts up`), or
// CARAVAN_TEST_CONTEXTS names two contexts of the user's kubeconfig (`CARAVAN_TEST_CONTEXTS=a,b`).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildParts } from './build.ts';
import { Cluster } from './cluster.ts';
import { createLab, readUpLab } from './create-lab.ts';
import { Namespaces } from './namespaces.ts';
import { whyClustersCannotRun } from './prerequisites.ts';
import { endRun, newRun } from './run.ts';
import { createSilentContext, type SilentContext } from './silent-context.ts';
import { userClusters } from './user-clusters.ts';

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

/** @param end Instead of deleting the namespaces that were made through it. */
async function attachLab(directory: string, end?: () => Promise<void>): Promise<Lab> {
  const { run, kube, ready } = await readUpLab(directory);
  const scratch = await mkdtemp(join(directory, 'scratch-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  const clusters = ready.clusters.map(
    ({ name, address, directory: own }) =>
      new Cluster({
        name,
        context: name,
        kubeconfigPath,
        nodeAddress: address,
        logDirectory: join(own, 'log'),
        node: Namespaces.find(`${run}-${name}`, own),
        kubectl: [kube, 'kubectl'],
        scratch,
        cache: join(directory, 'kubectl'),
      }),
  );
  return labOf({ clusters, kubeconfigPath, directory, scratch, silentAddress: ready.silentAddress, end });
}

async function useContexts(contexts: string[]): Promise<Lab> {
  const scratch = await mkdtemp(join(tmpdir(), 'caravan-lab-'));
  const clusters = await userClusters(contexts, scratch);
  return labOf({ clusters, kubeconfigPath: clusters[0].kubeconfigPath, scratch });
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
