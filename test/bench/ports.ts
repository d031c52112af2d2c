import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';

/** A port of loopback that nobody has, for a program that cannot let the system choose. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Whether somebody listens there. Asks the kernel: a connection would be the first client of whatever is measured. */
export async function listens(port: number): Promise<boolean> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // Columns of proc_pid_net(5): local address, remote address, state; 0A is TCP_LISTEN.
  return new RegExp(`:${hex} 0+:0000 0A `).test(await readFile('/proc/net/tcp', 'utf8'));
}
