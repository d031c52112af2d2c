/** Runs the real command line as processes of their own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The sources, unless a test run gives a bundle: CARAVAN_TEST_MAIN. */
const MAIN = process.env['CARAVAN_TEST_MAIN'] ?? fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command to its end. */
export function caravan(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
    child.stdin?.end();
  });
}

/** A command that runs in the foreground. */
export class Foreground {
  readonly process: ChildProcess;
  out = '';
  err = '';
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  /** `through`: a program that runs another one, such as `nsenter`, with its arguments. */
  constructor(args: string[], env: NodeJS.ProcessEnv = {}, through: string[] = []) {
    const [program, ...rest] = [...through, process.execPath, MAIN, ...args] as [string, ...string[]];
    this.process = spawn(program, rest, { env: { ...process.env, ...env }, stdio: 'pipe' });
    this.process.stdout?.on('data', (chunk) => (this.out += String(chunk)));
    this.process.stderr?.on('data', (chunk) => (this.err += String(chunk)));
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) => resolve(signal ?? code));
    });
  }

  /** Resolves to the match once standard output has it; rejects when the process ends before, or after 20 s. */
  async prints(pattern: RegExp): Promise<RegExpMatchArray> {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      const match = this.out.match(pattern);
      if (match) return match;
      if (this.process.exitCode !== null || this.process.signalCode !== null) break;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    throw new Error(`It never printed ${pattern}.\n${this.out}${this.err}`);
  }

  /** Asks it to end, and waits until it has. */
  stop(): Promise<number | NodeJS.Signals | null> {
    this.process.kill('SIGTERM');
    return this.ended;
  }
}
