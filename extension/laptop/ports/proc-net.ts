import type { ListeningSocket } from './listening-port.ts';

/** TCP_LISTEN of the kernel's tcp_states.h. */
const LISTEN = '0A';

/** The sockets that listen, of Linux' /proc/net/tcp or tcp6 (proc(5)); the owner is the socket's inode. */
export function parseProcNet(text: string): ListeningSocket<string>[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      return state === LISTEN && inode ? [{ address: addressOf(address), port: Number.parseInt(port, 16), owner: inode }] : [];
    });
}

/** The kernel writes an address as words in the byte order of the machine: little-endian on all that VS Code runs on. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const written = bytes.join('').toLowerCase();
  if (/^0+$/.test(written)) return '::';
  if (/^0{31}1$/.test(written)) return '::1';
  const mapped = /^0{20}ffff(.{8})$/.exec(written)?.[1];
  return mapped ? mapped.match(/../g)!.map((byte) => Number.parseInt(byte, 16)).join('.') : written; // prettier-ignore
}

/** What a process is called, of its /proc/PID/cmdline: its program, and the file that an interpreter runs. */
export function processName(commandLine: string): string | undefined {
  const [program, ...args] = commandLine.split('\0').filter(Boolean);
  if (program === undefined) return undefined;
  // Some programs write a title of their own there, with spaces: `nginx: master process …`.
  if (program.includes(': ')) return program.split(': ')[0];
  const script = args.find((arg) => !arg.startsWith('-'));
  const name = baseName(program);
  return script !== undefined && /^(node|python|ruby|java|deno|bun|php|perl)[\d.]*$/.test(name)
    ? `${name} ${baseName(script)}`
    : name;
}

function baseName(path: string): string {
  return path.split('/').at(-1) || path;
}
