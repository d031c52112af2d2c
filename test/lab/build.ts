import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, keyed } from './cache.ts';
import { command } from './command.ts';
import { findGo } from './go.ts';
import { buildImages, imageInputs } from './images.ts';
import { canInstallPackages, installPackages, missingPackages } from './packages.ts';

const source = join(import.meta.dirname, 'kube');

/** What the lab is made from. */
export interface Parts {
  /** etcd, CoreDNS, Kubernetes and kubectl in one program: the path of its binary. */
  kube: string;
  /** An archive of container images. */
  images: string;
}

/**
 * Installs and builds what is missing of the lab's parts, and gives their paths: the first time 10 minutes on two cores, later
 * nothing. What was built stays in the user's cache, and a change of what it is made from builds it anew.
 *
 * @param log Is told what takes long.
 * @throws {Error} What is missing and cannot be installed.
 */
export async function buildParts(log: (line: string) => void): Promise<Parts> {
  const missing = missingPackages();
  if (missing.length > 0) {
    if (!canInstallPackages()) throw new Error(`the lab needs these packages: ${missing.join(', ')}`);
    await installPackages(missing, log);
  }
  const kube = await buildKube(log);
  const images = await cached(keyed('images', ...imageInputs), async (part) => {
    log('making the container images');
    await buildImages(part);
  });
  return { kube, images };
}

async function buildKube(log: (line: string) => void): Promise<string> {
  const inputs = await Promise.all(['main.go', 'go.mod', 'go.sum'].map((name) => readFile(join(source, name))));
  const version = /k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/.exec(inputs[1]?.toString() ?? '');
  if (!version) throw new Error('go.mod does not name the version of Kubernetes');
  const [, major, minor, patch] = version;
  return cached(keyed('kube', process.arch, ...inputs), async (part) => {
    log(`building Kubernetes ${major}.${minor}.${patch}: about 8 minutes the first time`);
    // Without these the API server says that it is version 0.0.0, which clients take for very old.
    const values = { gitVersion: `v${major}.${minor}.${patch}`, gitMajor: major, gitMinor: minor };
    const flags = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
    const { program, env } = await findGo(inputs[1]?.toString() ?? '', log);
    await command(program, ['build', '-trimpath', '-ldflags', `-s -w ${flags.join(' ')}`, '-o', part, '.'], {
      cwd: source,
      env: { ...env, CGO_ENABLED: '0' },
      timeout: 45 * 60_000,
    });
  });
}
