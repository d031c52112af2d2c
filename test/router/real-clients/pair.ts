import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ensureSystemPackages, findCommand } from '../../../scripts/system-packages.mjs';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import type { Protocol } from '../../../runtime/api/types.ts';
import { type SiteProcess, SiteProcesses } from '../site-processes.ts';

/** A program that has not ended within this is stopped. Milliseconds. */
const RUN_WITHIN_MS = 60_000;

/**
 * Why not all of these programs are there, for skipping; undefined where they are. Installs them where that is possible.
 *
 * @param packageOf The Debian package of each.
 */
export async function whyNot(packageOf: Record<string, string>): Promise<string | undefined> {
  try {
    await ensureSystemPackages(packageOf, console.error);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Two linked sites: clients are `here`, servers `there`. */
export class Pair {
  readonly here: SiteProcess;
  readonly there: SiteProcess;
  readonly #sites: SiteProcesses;
  readonly #servers: { child: ChildProcess; endsWith: NodeJS.Signals }[] = [];

  private constructor(sites: SiteProcesses, here: SiteProcess, there: SiteProcess) {
    this.#sites = sites;
    this.here = here;
    this.there = there;
  }

  static async start(): Promise<Pair> {
    const sites = await SiteProcesses.make();
    const [here, there] = await sites.start('here', 'there');
    await sites.link(there, here);
    return new Pair(sites, here, there);
  }

  /** Where files of the test may be; it goes when the pair ends. */
  get folder(): string {
    return this.#sites.folder;
  }

  /** Starts a server in the foreground; resolves once it takes connections of TCP. Ends with the pair. */
  async serve(
    program: string,
    args: string[],
    port: number,
    { endsWith = 'SIGTERM', ...options }: SpawnOptions & { endsWith?: NodeJS.Signals } = {},
  ): Promise<void> {
    const child = spawn(findCommand(program) ?? program, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
    let errors = '';
    child.stderr?.on('data', (text) => (errors += String(text)));
    this.#servers.push({ child, endsWith });
    await until(
      () => `${program} to listen; it said ${errors.slice(-1000)}`,
      () => takesConnections(port),
    );
  }

  /** Offers a server there, and resolves to its port here. @param port Here; default: the system chooses. */
  async carry(address: string, server: number, type: Protocol = 'tcp', port = 0): Promise<number> {
    await this.there.api.expose({ address, port: server, type });
    const { name } = await this.here.api.listen({ address, port, type });
    return this.here.status(
      `${name} open`,
      ({ listeners }) => listeners.find((listener) => listener.name === name && listener.state === 'open')?.port,
    );
  }

  /** Offers a server that takes both, and resolves to a port here where it takes both, too. */
  async carryBoth(address: string, server: number): Promise<number> {
    const port = await freePort();
    await this.carry(address, server, 'tcp', port);
    return this.carry(`${address}-datagrams`, server, 'udp', port);
  }

  async stop(): Promise<void> {
    await this.#sites.stop();
    await Promise.all(this.#servers.map(end));
  }
}

/** Runs a program to its end. Rejects with what it said where it fails. */
export async function run(
  program: string,
  args: string[],
  { input, ...options }: SpawnOptions & { input?: string | Buffer } = {},
): Promise<string> {
  const child = spawn(findCommand(program) ?? program, args, { stdio: 'pipe', timeout: RUN_WITHIN_MS, ...options });
  const pieces: Buffer[] = [];
  let errors = '';
  child.stdout!.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr!.on('data', (text) => (errors += String(text)));
  // A program that ends before it has read everything says why.
  child.stdin!.on('error', () => {});
  child.stdin!.end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const output = Buffer.concat(pieces).toString();
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}: ${errors}${output.slice(-1000)}`);
  return output;
}

async function end({ child, endsWith }: { child: ChildProcess; endsWith: NodeJS.Signals }): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(endsWith);
  await ended;
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isUp = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isUp;
}
