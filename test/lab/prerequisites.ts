import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { canInstallPackages, missingPackages } from './packages.ts';

/** Why clusters cannot be run on this machine, or undefined where they can. */
export function whyClustersCannotRun(): string | undefined {
  if (process.platform !== 'linux') return 'the lab runs Kubernetes nodes, which need Linux';
  if (process.getuid?.() !== 0) return 'the lab makes network namespaces and cgroups, which needs root';
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers') && !existsSync('/sys/fs/cgroup/memory')) return 'there are no cgroups';
  const unshare = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { encoding: 'utf8' });
  if (unshare.error || unshare.status !== 0)
    return `no namespaces can be made: ${unshare.error?.message ?? unshare.stderr.trim()}`;
  const missing = missingPackages();
  if (missing.length > 0 && !canInstallPackages()) return `these packages are missing: ${missing.join(', ')}`;
  return undefined;
}
