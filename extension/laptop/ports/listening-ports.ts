import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { type ListeningPort, onLoopback } from './listening-port.ts';
import { LSOF_ARGUMENTS, parseLsof } from './lsof.ts';
import { parseNetstat, parseTasklist } from './netstat.ts';
import { parseProcNet, processName } from './proc-net.ts';

/** A list that takes longer is not waited for: a port can be typed as well. Milliseconds. */
const LIST_MS = 3000;
const MAX_LIST_BYTES = 8 * 1024 * 1024;

/** The ports of this computer where programs listen, as far as the system tells; none where it tells nothing. Never rejects. */
export async function listeningPorts(platform: NodeJS.Platform = process.platform): Promise<ListeningPort[]> {
  try {
    return (await LISTS[platform]?.()) ?? [];
  } catch {
    return [];
  }
}

const LISTS: Partial<Record<NodeJS.Platform, () => Promise<ListeningPort[]>>> = {
  linux: async () => {
    const texts = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')));
    const sockets = texts.flatMap(parseProcNet);
    const names = await namesOfSockets(new Set(sockets.map(({ owner }) => owner)));
    return onLoopback(sockets, (inode) => names.get(inode));
  },
  darwin: async () => onLoopback(parseLsof(await run('lsof', LSOF_ARGUMENTS)), (command) => command),
  win32: async () => {
    const lists = ['TCP', 'TCPv6'].map((protocol) => run('netstat', ['-ano', '-p', protocol]));
    const names = parseTasklist(await run('tasklist', ['/FO', 'CSV', '/NH']).catch(() => ''));
    return onLoopback((await Promise.all(lists)).flatMap(parseNetstat), (pid) => names.get(pid));
  },
};

/** Which program has a socket, by inode: of this user's processes, since others may not be looked into. */
async function namesOfSockets(inodes: ReadonlySet<string>): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const until = Date.now() + LIST_MS;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    if (names.size === inodes.size || Date.now() > until) break;
    const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    const own = targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []).filter((inode) => inodes.has(inode));
    if (own.length === 0) continue;
    const name = processName(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    for (const inode of own) if (name && !names.has(inode)) names.set(inode, name);
  }
  return names;
}

/** What a program prints. lsof ends with 1 where it could not look at everything, and says the rest all the same. */
function run(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: LIST_MS, maxBuffer: MAX_LIST_BYTES, windowsHide: true };
    execFile(program, args, options, (error, out) => (error && out === '' ? reject(error) : resolve(out)));
  });
}
