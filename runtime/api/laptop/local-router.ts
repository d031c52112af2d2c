import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaravanError, sentence } from '../../errors.ts';
import { redact } from '../../redact.ts';
import { ApiClient } from '../client.ts';
import { isAnswered, socketDirectory, socketPath } from '../sockets.ts';
import { userName } from '../user-name.ts';
import { laptopFolder } from './folder.ts';
import { type RuntimeProcess, startRuntime } from './runtime-process.ts';
import { takeLock } from './start-lock.ts';

/** What its socket is called, and so what commands call it. */
export const LAPTOP = 'laptop';
/** From the start of the process until it must answer. Milliseconds. */
export const START_MS = 15_000;

/** A site of this computer. */
export interface LocalRef {
  where: 'local';
  /** The socket's name: `laptop`, `demo-cloud`, or what `caravan run` was given. */
  name: string;
  socket: string;
}

export interface LocalRouterOptions {
  runtime: RuntimeProcess;
  socket: string;
  /** Shared by every window of the user, so beside the socket. */
  lock: string;
  /** Where its configuration, its data and its log are. */
  folder: string;
  /** Whether other sites may reach one another through this laptop; asked when the router starts. */
  carriesTraffic: () => boolean;
  /** Where that was in versions before: what it holds is moved at the next start. */
  formerFolder?: string;
  isAnswered: (socket: string) => Promise<boolean>;
  /** Asks the router anything: it answers its socket a moment before it can say something. */
  status: (ref: LocalRef, signal: AbortSignal) => Promise<unknown>;
  startMs?: number;
}

/** The router of this laptop: one per user, whatever the number of windows. It outlives the window that started it. */
export class LocalRouter {
  readonly #options: LocalRouterOptions;

  constructor(options: LocalRouterOptions) {
    this.#options = options;
  }

  /** The one that every window and the command line of this user share. */
  static ofThisUser(
    runtime: RuntimeProcess,
    { formerFolder, carriesTraffic = () => false }: { formerFolder?: string; carriesTraffic?: () => boolean } = {},
  ): LocalRouter {
    return new LocalRouter({
      runtime,
      isAnswered,
      status: ({ socket }, signal) => ApiClient.overSocket(socket).status(signal),
      socket: socketPath(LAPTOP),
      lock: join(socketDirectory(), 'laptop.lock'),
      folder: laptopFolder(),
      ...(formerFolder && { formerFolder }),
      carriesTraffic,
    });
  }

  get ref(): LocalRef {
    return { where: 'local', name: LAPTOP, socket: this.#options.socket };
  }

  get logFile(): string {
    return join(this.#options.folder, 'router.log');
  }

  isRunning(): Promise<boolean> {
    return this.#options.isAnswered(this.#options.socket);
  }

  /** Finds the running router, or starts it; resolves when it answers. */
  async ensure(signal: AbortSignal): Promise<LocalRef> {
    const limit = AbortSignal.timeout(this.#options.startMs ?? START_MS);
    while (!(await this.isRunning())) {
      signal.throwIfAborted();
      if (limit.aborted) throw this.#didNotStart('does not answer');
      const release = takeLock(this.#options.lock);
      try {
        if (release && !(await this.isRunning())) await this.#start(AbortSignal.any([signal, limit]), signal);
      } finally {
        release?.();
      }
      if (!release) await sleep(100); // another window starts it
    }
    await this.#ready(signal, limit);
    return this.ref;
  }

  /** Resolves when it has ended; rejects where it has not after ten seconds. */
  async ended(): Promise<void> {
    for (let waited = 0; await this.isRunning(); waited += 100) {
      if (waited >= 10_000) throw new CaravanError('timeout', "This laptop's router has not ended after 10 s: see its log.");
      await sleep(100);
    }
  }

  async #start(limit: AbortSignal, cancelled: AbortSignal): Promise<void> {
    const { runtime, socket, folder, formerFolder, carriesTraffic } = this.#options;
    if (formerFolder) moveFolder(formerFolder, folder);
    const [config, data] = [join(folder, 'config'), join(folder, 'data')];
    for (const path of [config, data]) mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(join(config, 'site.yaml'), siteYaml(userName(), { edge: !carriesTraffic() }));
    // Its own log file, not a pipe: it goes on writing after this window is gone. Its own folder: it holds on to nobody else's.
    const log = openSync(this.logFile, 'w', 0o600);
    const args = ['run', '--config', config, '--data', data, '--socket', socket];
    let child;
    try {
      child = startRuntime(runtime, args, { detached: true, cwd: folder, stdio: ['ignore', log, log] });
    } finally {
      closeSync(log);
    }
    let exit: string | undefined;
    child.once('exit', (code, by) => (exit = `ended with ${by ?? `code ${code}`}`));
    child.once('error', (error) => (exit = `did not start (${error.message})`));
    child.unref();
    while (!(await this.isRunning())) {
      if (exit) throw this.#didNotStart(exit);
      if (limit.aborted) {
        child.kill();
        cancelled.throwIfAborted();
        throw this.#didNotStart('does not answer');
      }
      await sleep(50);
    }
  }

  async #ready(signal: AbortSignal, limit: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#options.status(this.ref, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (limit.aborted) throw this.#didNotStart(`does not answer: ${sentence(error)}`);
        await sleep(50);
      }
    }
  }

  #didNotStart(how: string): CaravanError {
    const last = lastLine(this.logFile);
    return new CaravanError('not-running', `This laptop's router ${how}${last ? `: ${last}` : '.'}`);
  }
}

/** Does nothing where there is nothing to move, or something there already; what cannot be moved is begun anew. */
function moveFolder(from: string, to: string): void {
  if (existsSync(to) || !existsSync(from)) return;
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    renameSync(from, to);
  } catch {
    // On another file system, for one: the laptop gets a new identity, as after its first start.
  }
}

/** The site that a laptop is: it offers nothing of itself and listens on loopback for everything that others offer. */
export function siteYaml(user: string, { edge }: { edge: boolean }): string {
  const name = `${
    user
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'my'
  }-laptop`;
  return `# Written by Caravan at every start. Put resources of your own into other files of this folder.
apiVersion: skupper.io/v2alpha1
kind: Site
metadata:
  name: ${name}
spec:
  # An edge hangs on one site at a time, and carries nothing for others.
  edge: ${edge}
  settings:
    # A port on 127.0.0.1 for every service of the network.
    autoListen: loopback
`;
}

/** What the process said last: the log's own lines are JSON with a `message`. */
function lastLine(path: string): string {
  try {
    const line = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    return redact(messageOf(line)).slice(0, 300);
  } catch {
    return '';
  }
}

function messageOf(line: string): string {
  try {
    const { message } = JSON.parse(line) as { message?: unknown };
    return typeof message === 'string' ? message : line;
  } catch {
    return line;
  }
}
