import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { command } from './command.ts';

/** Under the names that the product and containerd ask for, so that manifests stay as users have them. */
const NODE_IMAGE = 'docker.io/library/node:24-alpine';
export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.6';

interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
}

/** What the archive's content depends on, besides this file's code. Change the number when that changes. */
export const imageInputs = ['2', process.version, process.arch];

/**
 * Makes the images from what the machine has, the Node that runs this and busybox, because no registry is reached: one archive
 * of Docker's format, as `ctr images import` takes it.
 */
export async function buildImages(archive: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'caravan-images-'));
  try {
    const pause = join(work, 'pause');
    await addBusybox(pause);
    const node = join(work, 'node');
    await addBusybox(node);
    await addNode(node);
    const content = join(work, 'content');
    await mkdir(content);
    const manifest = [
      await addImage(content, 'pause', PAUSE_IMAGE, pause, { Entrypoint: ['/bin/busybox', 'sleep', 'infinity'] }),
      await addImage(content, 'node', NODE_IMAGE, node, {
        Entrypoint: ['docker-entrypoint.sh'],
        Cmd: ['node'],
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `NODE_VERSION=${process.versions.node}`],
      }),
    ];
    await writeFile(join(content, 'manifest.json'), JSON.stringify(manifest));
    await command('tar', ['-C', content, '-cf', archive, '.']);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function addBusybox(root: string): Promise<void> {
  for (const folder of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root']) await mkdir(join(root, folder), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  const applets = (await command('/bin/busybox', ['--list'])).split('\n').filter((name) => name && name !== 'busybox');
  for (const applet of applets) await symlink('busybox', join(root, 'bin', applet));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

async function addNode(root: string): Promise<void> {
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  await mkdir(join(root, 'home/node'), { recursive: true });
  await copyFile(process.execPath, join(root, 'usr/local/bin/node'));
  await writeFile(join(root, 'usr/local/bin/docker-entrypoint.sh'), ENTRYPOINT, { mode: 0o755 });
  const libraries = (await command('ldd', [process.execPath])).match(/\/\S+/g) ?? [];
  const libc = libraries.find((path) => path.includes('libc.so'));
  // glibc loads what looks names up when a name is looked up, so ldd does not know of it.
  const resolvers = libc
    ? ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'].map((name) => join(dirname(libc), name))
    : [];
  for (const library of [...libraries, ...resolvers]) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
}

/** As that of the real image: arguments that name no command are Node's. */
const ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "\${1}" ] || [ -z "$(command -v "\${1}")" ] || { [ -f "\${1}" ] && ! [ -x "\${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

/** Adds an image of one layer to the archive's content, and gives its part of the manifest. */
async function addImage(content: string, file: string, name: string, root: string, config: ImageConfig): Promise<object> {
  const layer = `${file}.tar`;
  await command('tar', ['-C', root, '--numeric-owner', '--owner=0', '--group=0', '-cf', join(content, layer), '.']);
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(content, layer)), hash);
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const rootfs = { type: 'layers', diff_ids: [`sha256:${hash.digest('hex')}`] };
  await writeFile(join(content, `${file}.json`), JSON.stringify({ architecture, os: 'linux', config, rootfs }));
  return { Config: `${file}.json`, RepoTags: [name], Layers: [layer] };
}
