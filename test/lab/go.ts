import { chmod, glob, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { command } from './command.ts';

/** A Go that builds what a go.mod describes: the program, and what its environment has to say. */
export interface Go {
  program: string;
  env: Record<string, string>;
}

/**
 * Finds a Go that is new enough. From 1.21 on the machine's own fetches a newer one by itself if it has to; with an older one, as
 * Debian 12 has, the newer one is fetched here in the same way: as a module, whose checksum Go verifies.
 *
 * @param goMod The content of go.mod, with its `toolchain` line.
 */
export async function findGo(goMod: string, log: (line: string) => void): Promise<Go> {
  const minor = /go1\.(\d+)/.exec(await command('go', ['version']))?.[1];
  // Debian's packages are set to `local`, which fetches nothing.
  if (Number(minor) >= 21) return { program: 'go', env: { GOTOOLCHAIN: 'auto' } };

  const toolchain = /^toolchain (go\S+)$/m.exec(goMod)?.[1];
  if (!toolchain) throw new Error('go.mod names no toolchain');
  log(`fetching ${toolchain}`);
  const machine = `linux-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  await mkdir(cacheDirectory(), { recursive: true });
  // Outside any module: the old Go cannot read the go.mod of this one.
  const downloaded: { Dir: string } = JSON.parse(
    await command('go', ['mod', 'download', '-json', `golang.org/toolchain@v0.0.1-${toolchain}.${machine}`], {
      cwd: cacheDirectory(),
      timeout: 600_000,
    }),
  );
  // Modules hold no programs, so an old Go unpacks these as plain files.
  for await (const program of glob(['bin/*', 'pkg/tool/*/*'], { cwd: downloaded.Dir })) {
    await chmod(join(downloaded.Dir, program), 0o755);
  }
  return { program: join(downloaded.Dir, 'bin', 'go'), env: { GOTOOLCHAIN: 'local', GOROOT: downloaded.Dir } };
}
