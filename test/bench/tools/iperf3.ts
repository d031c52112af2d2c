import { setTimeout as sleep } from 'node:timers/promises';
import { commandPath } from '../commands.ts';
import { freePort } from '../ports.ts';
import { Program } from '../program.ts';
import type { Scope } from '../scope.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** How often a server that is busy is asked, and how long it is left alone in between. Milliseconds. */
const BUSY_ATTEMPTS = 20;
const BUSY_REST_MS = 500;

/** The port of an iperf3 server, which serves one client after another. */
export async function startIperf3(scope: Scope): Promise<number> {
  const port = await freePort();
  await (await start(['-s', '-B', '127.0.0.1', '-p', port], scope)).opens(port);
  return port;
}

/** It keeps what it sends in a file, which is left behind when it is ended in that moment. */
async function start(args: (string | number)[], scope: Scope): Promise<Program> {
  const folder = await temporaryFolder(scope);
  return scope.use(new Program(commandPath('iperf3'), args.map(String), { TMPDIR: folder }));
}

export interface Iperf3Options {
  port: number;
  streams: number;
  seconds: number;
  /** Seconds at the start that do not count: for what begins slowly. */
  omit?: number;
}

/** Bits per second that arrived at the server. */
export async function iperf3(options: Iperf3Options, scope: Scope): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const { error = 'it tells no sum', end } = await run(options, scope);
    if (end?.sum_received) return end.sum_received.bits_per_second;
    // The end of the run before may still be on its way to the server, which takes one client at a time.
    if (!error.includes('busy') || attempt === BUSY_ATTEMPTS) throw new Error(`iperf3: ${error}`);
    await sleep(BUSY_REST_MS);
  }
}

interface Result {
  error?: string;
  end?: { sum_received?: { bits_per_second: number } };
}

async function run({ port, streams, seconds, omit = 0 }: Iperf3Options, scope: Scope): Promise<Result> {
  const program = await start(['-J', '-c', '127.0.0.1', '-p', port, '-P', streams, '-t', seconds, '-O', omit], scope);
  return JSON.parse(await program.output()) as Result;
}
