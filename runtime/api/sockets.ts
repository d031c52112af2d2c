/**
 * Where running sites are found: a directory of sockets that only this user may enter. On Windows the sockets are named pipes,
 * and the directory holds one small file for each, so that they can be listed.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CaravanError } from '../errors.ts';

const WINDOWS = process.platform === 'win32';
const SUFFIX = '.sock';
/** The shortest `sun_path` of the systems that we run on is 104 bytes (macOS), and its last byte is a zero. */
export const MAX_SOCKET_PATH_BYTES = 103;
/** A process that does not accept within this time counts as not running. Milliseconds. */
const PROBE_MS = 1000;

export interface RunningSite {
  name: string;
  socket: string;
}

/** The directory of this user's sockets: CARAVAN_RUNTIME_DIR, else the system's place for such things. Not made by this call. */
export function socketDirectory(): string {
  const { CARAVAN_RUNTIME_DIR, XDG_RUNTIME_DIR, LOCALAPPDATA } = process.env;
  if (CARAVAN_RUNTIME_DIR) return CARAVAN_RUNTIME_DIR;
  if (WINDOWS) return join(LOCALAPPDATA || tmpdir(), 'caravan', 'run');
  if (XDG_RUNTIME_DIR) return join(XDG_RUNTIME_DIR, 'caravan');
  // Not `userInfo()`: it throws for a user without an entry in the system's list, as containers have them.
  return join(tmpdir(), `caravan-${process.getuid?.() ?? 'user'}`);
}

/** The socket of the site of that name. */
export function socketPath(name: string): string {
  if (!/^[\w][\w.-]*$/.test(name))
    throw new CaravanError('bad-request', `"${name}" cannot name a site: use letters, digits, "-" and "." only.`);
  if (WINDOWS) return `\\\\.\\pipe\\caravan-${createHash('sha256').update(socketDirectory()).digest('hex').slice(0, 12)}-${name}`;
  return checkSocketPath(join(socketDirectory(), name + SUFFIX));
}

/** The path itself, or an error where the system would cut it short. */
export function checkSocketPath(path: string): string {
  const length = Buffer.byteLength(path);
  if (WINDOWS || length <= MAX_SOCKET_PATH_BYTES) return path;
  throw new CaravanError(
    'bad-request',
    `The socket's path has ${length} bytes, and no more than ${MAX_SOCKET_PATH_BYTES} work: give a shorter one with --socket, not ${path}.`,
  );
}

/** The file that makes a socket show up in `runningSites`; on Windows it holds the pipe's name. Undefined elsewhere. */
export function registryFile(path: string): string | undefined {
  return WINDOWS ? join(socketDirectory(), `${basename(path).replace(/^caravan-[0-9a-f]{12}-/, '')}${SUFFIX}`) : undefined;
}

/** Makes the directory for this user alone. Somebody else's in its place is an error: they could answer in the site's name. */
export function makeSocketDirectory(directory = socketDirectory()): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (WINDOWS) return;
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new CaravanError(
      'forbidden',
      `${directory} belongs to somebody else: set CARAVAN_RUNTIME_DIR to a directory of your own.`,
    );
  if ((found.mode & 0o777) !== 0o700) chmodSync(directory, 0o700);
}

/** The sites of this user that answer, by name. */
export async function runningSites(): Promise<RunningSite[]> {
  const names = listed().map((file) => file.slice(0, -SUFFIX.length));
  const sites = names.flatMap((name) => {
    try {
      return [{ name, socket: socketPath(name) }];
    } catch {
      return []; // not a name of ours
    }
  });
  const answers = await Promise.all(sites.map(({ socket }) => isAnswered(socket)));
  return sites.filter((_, index) => answers[index]).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Whether what lies at a path may be talked to: a socket that this user made. In a directory that all may write to somebody else could
 * have put one there, and would be told tokens. True also where nothing is there.
 */
export function isOwnSocket(path: string): boolean {
  if (WINDOWS) return true;
  const found = lstatSync(path, { throwIfNoEntry: false });
  return !found || (found.isSocket() && found.uid === process.getuid?.());
}

/** Whether a process of this user accepts connections at the socket. */
export function isAnswered(path: string): Promise<boolean> {
  if (!isOwnSocket(path)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    // EAGAIN: it lives, only its queue is full.
    socket.once('connect', () => end(true)).once('error', (error: NodeJS.ErrnoException) => end(error.code === 'EAGAIN'));
    socket.setTimeout(PROBE_MS, () => end(false));
  });
}

function listed(): string[] {
  try {
    return readdirSync(socketDirectory()).filter((file) => file.endsWith(SUFFIX));
  } catch {
    return []; // never made: nothing has run yet
  }
}
