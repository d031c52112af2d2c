import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';
import { listens } from './ports.ts';

/** A program that the bench runs: a peer, a server or a client. */
export class Program {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  out = '';
  err = '';

  /** @param more variables of its environment besides */
  constructor(command: string, args: string[], more: NodeJS.ProcessEnv = {}) {
    this.#name = command.split('/').at(-1)!;
    // NODE_OPTIONS is how routers are profiled: for them alone.
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#process = spawn(command, args, { env: { ...env, ...more }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk) => (this.out += String(chunk)));
    this.#process.stderr?.on('data', (chunk) => (this.err += String(chunk)));
    this.#ended = new Promise((resolve) => {
      this.#process.once('close', () => resolve());
      this.#process.once('error', (error) => {
        this.err += error.message;
        resolve();
      });
    });
  }

  /** One of `programs/`, on this Node. */
  static own(program: string, ...args: (string | number)[]): Program {
    const file = fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url));
    return new Program(process.execPath, [file, ...args.map(String)]);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Resolves to the match once standard output has it. */
  prints(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#while(`${this.#name} to print ${pattern}`, () => this.out.match(pattern) ?? undefined);
  }

  /** The port that one of `programs/` prints once it listens there. */
  async printsPort(): Promise<number> {
    return Number((await this.prints(/^\d+$/m))[0]);
  }

  /** Resolves once it listens on this port of loopback. */
  async opens(port: number): Promise<void> {
    await this.#while(`${this.#name} to listen`, () => listens(port));
  }

  /** What it prints until it ends by itself. Rejects where it fails. */
  async output(): Promise<string> {
    await this.#ended;
    if (this.#process.exitCode !== 0) throw new Error(`${this.#name} failed: ${this.#lastWords()}`);
    return this.out;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#ended;
  }

  async #while<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    const seen = await until(what, async () => {
      const found = await look();
      return found !== undefined && found !== false ? { found } : this.#isOver && { over: true };
    });
    if ('over' in seen) throw new Error(`${this.#name} ended: ${this.#lastWords()}`);
    return seen.found;
  }

  get #isOver(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null || this.#process.pid === undefined;
  }

  #lastWords(): string {
    return (this.err.trim() || this.out.trim()).split('\n').slice(-3).join(' ').slice(0, 300);
  }
}
