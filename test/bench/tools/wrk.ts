import { commandPath } from '../commands.ts';
import { Program } from '../program.ts';
import type { Scope } from '../scope.ts';

export interface WrkOptions {
  port: number;
  connections: number;
  seconds: number;
  path?: string;
  /** A new connection for every request. */
  close?: boolean;
}

export interface WrkResult {
  requestsPerSecond: number;
  bytesPerSecond: number;
  /** Half of all requests were answered within. Microseconds. */
  medianUs: number;
}

const UNITS: Record<string, number> = { us: 1, ms: 1000, s: 1_000_000, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** Asks as fast as it is answered, on one thread. Rejects where an answer is missing or is not the server's. */
export async function wrk({ port, connections, seconds, path = '/', close }: WrkOptions, scope: Scope): Promise<WrkResult> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...(close ? ['-H', 'Connection: close'] : [])];
  const output = await scope.use(new Program(commandPath('wrk'), [...args, `http://127.0.0.1:${port}${path}`])).output();
  const trouble = /Socket errors:.*|Non-2xx or 3xx responses:.*/.exec(output);
  if (trouble) throw new Error(`wrk: ${trouble[0]}`);
  return {
    requestsPerSecond: figure(output, /Requests\/sec:\s+([\d.]+)()/),
    bytesPerSecond: figure(output, /Transfer\/sec:\s+([\d.]+)(\w+)/),
    medianUs: figure(output, /50%\s+([\d.]+)(\w+)/),
  };
}

function figure(output: string, pattern: RegExp): number {
  const [, value, unit] = pattern.exec(output) ?? [];
  if (value === undefined) throw new Error(`wrk: no ${pattern} in what it prints: ${output}`);
  return Number(value) * (UNITS[unit ?? ''] ?? 1);
}
