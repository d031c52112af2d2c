import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dial } from '../../support/tcp.ts';
import type { BadTarget } from './protocol.ts';

/** Listens, with room for two connections that nobody has taken in yet. */
const LISTEN = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  console.log(this.address().port);
})`;
const ROOM = 2;

/** A server that cannot be reached. */
export async function outOfReach(kind: BadTarget): Promise<{ host: string; port: number; stop(): Promise<void> }> {
  const stop = (): Promise<void> => Promise.resolve();
  if (kind === 'hanging') return startHanging();
  // Nobody has the port of tcpmux (RFC 1078); and no connection leads to a broadcast: the system says so at once.
  return { host: kind === 'refused' ? '127.0.0.1' : '255.255.255.255', port: 1, stop };
}

/** The system answers no further client of a process that takes none in once its backlog is full. */
async function startHanging(): Promise<{ host: string; port: number; stop(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: ROOM }, () => dial(port));
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return {
    host: '127.0.0.1',
    port,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
