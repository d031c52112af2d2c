import type { ListeningSocket } from './listening-port.ts';

/** The sockets that listen, of Windows' `netstat -ano -p TCP` or TCPv6, in whatever language; the owner is the process' id. */
export function parseNetstat(text: string): ListeningSocket<string>[] {
  return text.split('\n').flatMap((line) => {
    // The state is a word of the user's language: what listens is told by its peer, whose port is 0.
    const [protocol, local = '', peer = '', , pid] = line.trim().split(/\s+/);
    const [, address, port] = /^(.+):(\d{1,5})$/.exec(local) ?? [];
    if (protocol !== 'TCP' || !peer.endsWith(':0') || !address || !/^\d+$/.test(pid ?? '')) return [];
    return [{ address: address.replace(/^\[|\]$/g, ''), port: Number(port), owner: pid! }];
  });
}

/** The programs of processes, of `tasklist /FO CSV /NH`: by id. */
export function parseTasklist(text: string): Map<string, string> {
  const rows = text.matchAll(/^"([^"]+)","(\d+)"/gm);
  return new Map([...rows].map(([, name, pid]) => [pid!, name!.replace(/\.exe$/i, '')]));
}
