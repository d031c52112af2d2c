import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../support/until.ts';

const ROOT = '/sys/fs/cgroup';

/** The hierarchies of version 1, one a controller, or the one of version 2. */
async function hierarchies(): Promise<string[]> {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT];
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(ROOT, entry.name));
}

/** Makes the group in which a kubelet has its pods. Each needs one of its own: it deletes the pods' groups that it does not know. */
export async function createCgroup(name: string): Promise<void> {
  for (const root of await hierarchies()) {
    await mkdir(join(root, name), { recursive: true });
    // In version 1 a group of CPUs has none until it is told which.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (root !== ROOT && existsSync(join(root, file)))
        await writeFile(join(root, name, file), await readFile(join(root, file)));
    }
    if (root === ROOT) await delegateControllers(name);
  }
}

/** In version 2 a group has only those controllers that its parent hands on. */
async function delegateControllers(name: string): Promise<void> {
  const controllers = (await readFile(join(ROOT, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  for (const group of ['', name]) {
    for (const controller of controllers) {
      // Some cannot be handed on, as those of real-time processes: kubelet says so if it needs one.
      await writeFile(join(ROOT, group, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined);
    }
  }
}

/** Removes the groups whose name starts so, with those in them, once their last process is gone. */
export async function removeCgroups(prefix: string): Promise<void> {
  for (const root of await hierarchies()) {
    for (const name of await cgroupsNamed(root, prefix)) {
      await until(`the end of the processes in ${root}/${name}`, async () => {
        await removeTree(join(root, name));
        return true;
      });
    }
  }
}

/** The names of the groups that start so. */
export async function listCgroups(prefix: string): Promise<string[]> {
  const names = await Promise.all((await hierarchies()).map((root) => cgroupsNamed(root, prefix)));
  return [...new Set(names.flat())];
}

async function cgroupsNamed(root: string, prefix: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => name.startsWith(prefix));
}

async function removeTree(group: string): Promise<void> {
  if (!existsSync(group)) return;
  for (const entry of await readdir(group, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(group, entry.name));
  }
  await rmdir(group);
}
