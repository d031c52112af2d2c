import type { ListeningSocket } from './listening-port.ts';

/** What `parseLsof` reads: a line a field, the process first. */
export const LSOF_ARGUMENTS = ['-nP', '-iTCP', '-sTCP:LISTEN', '-F', 'pcn'];

/** The sockets that listen, of `lsof -F pcn` (lsof(8), "Output for other programs"); the owner is the command's name. */
export function parseLsof(text: string): ListeningSocket<string>[] {
  const sockets: ListeningSocket<string>[] = [];
  let command = '';
  for (const line of text.split('\n')) {
    const [kind, value] = [line[0], line.slice(1)];
    if (kind === 'p') command = '';
    if (kind === 'c') command = unescaped(value);
    const [, address, port] = (kind === 'n' && /^(.+):(\d{1,5})$/.exec(value)) || [];
    if (address) sockets.push({ address: address.replace(/^\[|\]$/g, ''), port: Number(port), owner: command });
  }
  return sockets;
}

/** Names have spaces and what is not printable as `\x20`. */
function unescaped(name: string): string {
  return name.replaceAll(/\\x([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
