/** Taking a socket's path for oneself: a path that nobody answers at is left over from a crash and replaced, any other is not. */
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { CaravanError } from '../errors.ts';
import { takeTurn } from './turn.ts';
import { checkSocketPath, isAnswered, makeSocketDirectory, registryFile, socketDirectory } from './sockets.ts';

const WINDOWS = process.platform === 'win32';

/** Makes `server` listen at the socket. Throws `conflict` where another process answers there. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (dirname(path) === socketDirectory() || WINDOWS) makeSocketDirectory();
  else mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const unlock = WINDOWS ? () => {} : await takeTurn(`${checkSocketPath(path)}.lock`);
  try {
    if (await isAnswered(path))
      throw new CaravanError('conflict', `A site already runs at ${path}: stop it first, or give this one another --socket.`);
    if (!WINDOWS) removeLeftOver(path);
    await bind(server, path);
  } finally {
    unlock();
  }
  const entry = registryFile(path);
  if (!entry) return;
  writeFileSync(entry, path);
  server.once('close', () => rmSync(entry, { force: true }));
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CaravanError('forbidden', `The socket ${path} cannot be made: ${error.code ?? error.message}.`, { cause: error }),
      );
    });
    // The socket is made inside `listen`, so that the mask leaves no moment in which others could connect.
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => resolve());
    } finally {
      process.umask(mask);
    }
  }).then(() => {
    if (!WINDOWS) chmodSync(path, 0o600);
  });
}

function removeLeftOver(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new CaravanError('conflict', `${path} is not a socket: give another path with --socket.`);
  rmSync(path, { force: true });
}
