import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildParts } from './build.ts';
import { cacheDirectory } from './cache.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Network } from './network.ts';
import { startNode } from './node.ts';
import { endRun, newRunName, removeLeftovers, runLives } from './run.ts';

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

type UpLab = Required<LabFile>;

/**
 * Starts both clusters and describes them in a folder, which has to be new: it is removed with the lab.
 *
 * @param options.attached Whether they end with this process.
 * @throws {Error} Where the logs of the failed start are.
 */
export async function createLab(options: {
  name?: string;
  directory: string;
  attached: boolean;
  log: (line: string) => void;
}): Promise<void> {
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
  return isUp(await readLabFile(directory));
}

function isUp(file: LabFile | undefined): file is UpLab {
  return file?.ready !== undefined && runLives(file.run);
}

async function writeLabFile(directory: string, file: LabFile): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'lab.json'), JSON.stringify(file));
}

/**
 * What a lab that is up says of itself.
 *
 * @throws {Error} Where none is.
 */
export async function readUpLab(directory: string): Promise<UpLab> {
  const file = await readLabFile(directory);
  if (!isUp(file)) throw new Error(`no lab is up in ${directory}: start it with node test/lab/main.ts up`);
  return file;
}

async function readLabFile(directory: string): Promise<LabFile | undefined> {
  const path = join(directory, 'lab.json');
  return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : undefined;
}
