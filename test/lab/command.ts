import { spawn } from 'node:child_process';

export interface CommandOptions {
  /** Written to its stdin, which is then closed. */
  input?: string;
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Milliseconds after which it is ended and has failed. Default 60,000. */
  timeout?: number;
  signal?: AbortSignal;
}

/** A command ended with another exit code than 0, or not in time. */
export class CommandError extends Error {
  override name = 'CommandError';
  /** Undefined when it was ended by a signal or could not be started. */
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(message: string, exitCode: number | undefined, stderr: string) {
    super(message);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs a program to its end and gives what it wrote to stdout.
 *
 * @throws {CommandError} With what it wrote to stderr.
 */
export async function command(file: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { input, env, cwd, timeout = 60_000, signal } = options;
  const limit = AbortSignal.timeout(timeout);
  const child = spawn(file, args, {
    cwd,
    env: env ? { ...process.env, ...env } : process.env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends before it has read everything says so by its exit code.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);

  const { exit, failure } = await new Promise<{ exit: number | null; failure?: Error }>((resolve) => {
    let error: Error | undefined;
    child.on('error', (reason) => {
      error = reason;
      if (child.pid === undefined) resolve({ exit: null, failure: error });
    });
    child.on('close', (code) => resolve({ exit: code, failure: error }));
  });
  const said = Buffer.concat(stderr).toString();
  if (exit === 0 && !failure) return Buffer.concat(stdout).toString();

  const what = [file, ...args].join(' ');
  const why = limit.aborted ? `took longer than ${timeout} ms` : (failure?.message ?? `ended with ${exit ?? 'a signal'}`);
  throw new CommandError(`${what} ${why}${said.trim() ? `: ${said.trim()}` : ''}`, exit ?? undefined, said);
}
