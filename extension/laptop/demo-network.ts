import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError } from '../../runtime/errors.ts';
import type { DisposableLike, LogLike } from '../like.ts';
import { redact } from '../../runtime/redact.ts';
import { DEMO_PREFIX } from '../sites/site-ref.ts';
import type { DemoView } from '../views/snapshot.ts';
import { type RuntimeProcess, startRuntime } from '../../runtime/api/laptop/runtime-process.ts';

const SITES = ['cloud', 'onprem', 'laptop'];
const START_MS = 30_000;
const END_MS = 10_000;

export interface DemoNetworkOptions {
  runtime: RuntimeProcess;
  socketOf: (name: string) => string;
  isAnswered: (socket: string) => Promise<boolean>;
  changed: () => void;
  log: LogLike;
  startMs?: number;
}

/**
 * The embedded network: three sites and a sample application, as children of one process. It ends when its standard input does, so
 * with this window, even where the window crashed.
 */
export class DemoNetwork implements DisposableLike {
  view: DemoView = { state: 'off' };
  readonly #options: DemoNetworkOptions;
  #process: ChildProcess | undefined;

  constructor(options: DemoNetworkOptions) {
    this.#options = options;
  }

  /** Resolves when its application answers. A demo network of another window is used as it is. */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#process || (await this.#isAnswered())) return;
    let last = '';
    let exit: string | undefined;
    const child = startRuntime(this.#options.runtime, ['demo', '--until-stdin-closes'], { stdio: 'pipe' });
    this.#process = child;
    this.#show({ state: 'starting' });
    // Line by line: a chunk may end in the middle of one.
    for (const stream of [child.stdout, child.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', (text) => {
          if (text === '') return;
          last = redact(text);
          this.#options.log.info(`demo: ${last}`);
          const [, url] = /demo is ready, (https?:\/\/\S+)/.exec(last) ?? [];
          if (url) this.#show({ state: 'on', url });
        });
    child.once('error', ({ message }) => (exit = `did not start: ${message}`));
    child.once('exit', (code, by) => (exit = `ended with ${by ?? `code ${code}`}${last ? `: ${last}` : ''}`));
    child.once('exit', () => this.#gone(child)).once('error', () => this.#gone(child));
    const limit = AbortSignal.timeout(this.#options.startMs ?? START_MS);
    while (this.view.state !== 'on') {
      if (exit) throw new CaravanError('not-running', `The demo network ${exit}.`);
      if (limit.aborted || signal?.aborted) {
        child.kill();
        signal?.throwIfAborted();
        throw new CaravanError('timeout', `The demo network does not answer${last ? `: ${last}` : ''}.`);
      }
      await sleep(50);
    }
  }

  /** Resolves when it has ended. Only the window that started it can. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child) throw new CaravanError('not-running', 'The demo network was started by another window: stop it there.');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    await Promise.race([ended, sleep(END_MS, undefined, { ref: false }).then(() => child.kill())]);
  }

  dispose(): void {
    this.#process?.stdin?.end();
  }

  #gone(child: ChildProcess): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#show({ state: 'off' });
  }

  #show(view: DemoView): void {
    this.view = view;
    this.#options.changed();
  }

  async #isAnswered(): Promise<boolean> {
    const { socketOf, isAnswered } = this.#options;
    const answers = await Promise.all(SITES.map((name) => isAnswered(socketOf(DEMO_PREFIX + name))));
    return answers.every(Boolean);
  }
}
