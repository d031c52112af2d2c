import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PROCESS_ENVIRONMENT } from '../api/process-environment.ts';
import { CaravanError } from '../errors.ts';

/** How long a child may take until it is ready. Milliseconds. */
const READY_MS = 20_000;
/** How long a child may take to end by itself: longer than a site drains. Milliseconds. */
const END_MS = 8000;
/** A signal to the whole terminal reaches a child before it reaches us: its end is unexpected only after this. Milliseconds. */
const GRACE_MS = 250;

interface ChildOptions {
  /** For people: `the site cloud`. */
  name: string;
  args: string[];
  env?: Record<string, string>;
  /** One line that the child wrote to standard error. */
  onLine: (line: string) => void;
}

/**
 * Another process of this same program. It holds the other end of its standard input: when that closes, because it shall end or because
 * this process was killed, it ends.
 */
export class Child {
  readonly name: string;
  /** Resolves when it ended without having been told to: one sentence. */
  readonly died: Promise<string>;
  readonly #process: ChildProcess;
  readonly #exited: Promise<string>;
  #lastLine = '';
  #ending = false;

  constructor({ name, args, env = {}, onLine }: ChildOptions) {
    this.name = name;
    const child = spawn(process.execPath, [process.argv[1]!, ...args, '--until-stdin-closes'], {
      env: { ...PROCESS_ENVIRONMENT, ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#process = child;
    child.stdin.on('error', () => {}); // it is gone already
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#lastLine = line;
      onLine(line);
    });
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(this.#lastLine.replace(/^caravan: /, '') || `exit ${signal ?? code}`));
    });
    this.died = this.#exited.then(
      (reason) =>
        new Promise((resolve) => {
          setTimeout(() => {
            if (!this.#ending) resolve(`${upperFirst(name)} has ended: ${reason.replace(/\.$/, '')}.`);
          }, GRACE_MS);
        }),
    );
  }

  /** Resolves to the first line on standard output that matches. */
  async ready(line: RegExp): Promise<RegExpMatchArray> {
    const matched = new Promise<RegExpMatchArray>((resolve) => {
      createInterface({ input: this.#process.stdout! }).on('line', (text) => {
        const match = text.match(line);
        if (match) resolve(match);
      });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const failure = new CaravanError(
        'timeout',
        `${upperFirst(this.name)} is not ready after ${READY_MS / 1000} s. ${this.#lastLine}`.trim(),
      );
      timer = setTimeout(() => reject(failure), READY_MS);
    });
    const ended = this.died.then((message) => {
      throw new CaravanError('not-running', message);
    });
    return Promise.race([matched, late, ended]).finally(() => clearTimeout(timer));
  }

  /** Ends it, by force where it takes too long; resolves when it is gone. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#process.stdin!.end();
    const force = setTimeout(() => this.#process.kill('SIGKILL'), END_MS);
    await this.#exited;
    clearTimeout(force);
  }
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
