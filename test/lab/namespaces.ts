import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { command, type CommandOptions } from './command.ts';

/** Where a run's folder is seen from inside: short, because paths of sockets have at most 107 bytes. */
export const INSIDE = '/run/lab';

// Some paths in /var are fixed in kubelet and in the container network plugins: what they write there is kept in memory and ends
// with the namespaces, like everything in /run.
const SETUP = `
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /run
  mkdir -p /run/lab /run/var/upper /run/var/work
  mount --bind "$1" /run/lab
  mount -t overlay -o lowerdir=/var,upperdir=/run/var/upper,workdir=/run/var/work overlay /var
  mount --make-rshared /
  exec "$2" hold "$3" $4
`;

/**
 * A network, mounts and process ids of their own: what a machine is to the programs that run in it. One process holds them; when
 * it ends, the kernel ends every program in them and takes mounts and interfaces away. So nothing survives a killed test.
 */
export class Namespaces {
  readonly name: string;
  readonly directory: string;
  /** Of the process that holds them. */
  readonly pid: number;

  private constructor(name: string, directory: string, pid: number) {
    this.name = name;
    this.directory = directory;
    this.pid = pid;
  }

  /** @param options.attached Whether they end with this process, however that ends. */
  static async create(options: { name: string; directory: string; kube: string; attached: boolean }): Promise<Namespaces> {
    const { name, directory, kube, attached } = options;
    await mkdir(join(directory, 'log'), { recursive: true });
    const logFile = join(directory, 'log', 'namespaces.log');
    const log = openSync(logFile, 'a');
    const setup = ['/bin/sh', '-ec', SETUP, 'sh', directory, kube, name, attached ? 'attached' : ''];
    const child = spawn('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', '--', ...setup], {
      stdio: [attached ? 'pipe' : 'ignore', 'pipe', log],
      // A session of its own, so that Ctrl-C reaches only the one who started the lab, and that one ends it in order.
      detached: true,
    });
    closeSync(log);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`no namespaces for ${name}: ${readFileSync(logFile, 'utf8')}`)));
    });
    child.removeAllListeners('exit');
    // Open as long as this process lives, which it must not do for its sake.
    (child.stdin as Socket | null)?.unref();
    child.stdout?.destroy();
    child.unref();
    return Namespaces.find(name, directory);
  }

  /**
   * Those that were made before, perhaps by another process.
   *
   * @throws {Error} Where they have ended.
   */
  static find(name: string, directory: string): Namespaces {
    const [pid] = holders(name);
    if (pid === undefined) throw new Error(`no namespaces for ${name}: their process is gone`);
    return new Namespaces(name, directory, pid);
  }

  /** Runs a program in them to its end. */
  run(args: string[], options?: CommandOptions): Promise<string> {
    return command('nsenter', [...this.#enter(), ...args], options);
  }

  /** Runs the lines of a shell script in them, up to the first that fails. */
  async shell(script: string): Promise<void> {
    await this.run(['/bin/sh', '-ec', script]);
  }

  /** Starts a program in them, which writes to `log/NAME.log` and runs until they end. */
  start(name: string, args: string[]): void {
    const log = openSync(join(this.directory, 'log', `${name}.log`), 'a');
    const child = spawn('nsenter', [...this.#enter(), ...args], { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    child.on('error', () => undefined); // Without nsenter there are no namespaces either.
    child.unref();
  }

  #enter(): string[] {
    return ['--target', String(this.pid), '--net', '--mount', '--pid', '--'];
  }
}

/** Ends namespaces by the process that holds them. */
export async function endHolder(pid: number, name: string): Promise<void> {
  if (holders(name).includes(pid)) process.kill(pid, 'SIGKILL');
  await until(`the end of ${name}`, () => !holders(name).includes(pid));
}

/** The processes that hold namespaces whose name starts so. They are the only truth about which runs of the lab live. */
export function holders(prefix: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        const [program, verb, name] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return program?.includes('/kube-') && verb === 'hold' && name?.startsWith(prefix);
      } catch {
        return false; // It ended between the two looks.
      }
    })
    .map(Number);
}
