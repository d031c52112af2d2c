import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isAnswered } from '../api/sockets.ts';
import { takeTurn } from '../api/turn.ts';
import { CaravanError } from '../errors.ts';

/** Starts with a dot: no entry of the store is called so. */
const FILE = '.lock';

/** Who runs with the data, as the file says it. */
interface Holder {
  pid: number;
  /** Where it answers. */
  socket: string;
}

/**
 * Takes a site's data for this process, which answers at `socket` already. Rejects with `conflict` where a site runs with it: two would
 * issue certificates that the other does not know of. What a process left behind that died is taken over. Resolves to what gives it back.
 */
export async function lockData(path: string, socket: string): Promise<() => Promise<void>> {
  const folder = resolve(path);
  const file = join(folder, FILE);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    throw new CaravanError('forbidden', `The data cannot be kept in ${folder}: ${error.code ?? error.message}.`, {
      cause: error,
    });
  });
  const endTurn = await takeTurn(`${file}.turn`);
  try {
    const holder = await read(file);
    if (holder && (await runs(holder, socket)))
      throw new CaravanError(
        'conflict',
        `A site already runs with the data in ${folder} (pid ${holder.pid}): stop it first, or give this one another --data.`,
      );
    const mine: Holder = { pid: process.pid, socket };
    await writeFile(file, JSON.stringify(mine), { mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      throw new CaravanError('forbidden', `The data cannot be kept in ${folder}: ${error.code ?? error.message}.`, {
        cause: error,
      });
    });
  } finally {
    endTurn();
  }
  return () => rm(file, { force: true });
}

async function read(file: string): Promise<Holder | undefined> {
  try {
    const { pid, socket } = JSON.parse(await readFile(file, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && typeof socket === 'string' ? { pid, socket } : undefined;
  } catch {
    return undefined; // nobody's, or cut short when its writer died
  }
}

/**
 * A pid alone tells too little: after a restart of the computer or of a container another process has it. So its socket must answer, too;
 * and who answered at the socket that is this process's own now is gone.
 */
async function runs({ pid, socket }: Holder, own: string): Promise<boolean> {
  return socket !== own && pid !== process.pid && isAlive(pid) && (await isAnswered(socket));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, and is somebody else's
  }
}
