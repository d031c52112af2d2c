import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';
import type { Host } from './hosts.ts';

/** A program that was told to end has this long. Milliseconds. */
const END_MS = 5000;

/** One of `programs/`, running on a host, or on this machine. */
export class HostProgram {
  readonly #process: ChildProcess;
  lines: string[] = [];

  constructor(host: Host | undefined, program: 'bulk' | 'echo' | 'latency' | 'load' | 'sink', ...args: string[]) {
    const file = fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url));
    const [command, ...rest] = [...(host?.inside ?? []), process.execPath, file, ...args] as [string, ...string[]];
    this.#process = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.lines.push(line));
  }

  /** Waits until so many lines that start like this were printed from now on. */
  async prints(start: string, count = 1): Promise<string> {
    const from = this.lines.length;
    return until(`${count} × ${start}`, () => this.lines.slice(from).filter((line) => line.startsWith(start))[count - 1], {
      timeoutMs: 60_000,
    });
  }

  /** For `load`: forgets the lines so far, and the failures still to come of what it asked before now. */
  async noteFromHere(): Promise<void> {
    const noted = this.prints('from here');
    this.#process.stdin!.write('\n');
    await noted;
    this.lines.splice(0, this.lines.lastIndexOf('from here') + 1);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.stdin?.end();
    // What waits for an answer that never comes ends all the same.
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), END_MS);
    await ended;
    clearTimeout(kill);
  }
}
