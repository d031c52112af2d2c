import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { findCommand } from '../../scripts/system-packages.mjs';

/** A host of the test: a network namespace. */
export interface Host {
  /** Runs what follows it on that host. */
  readonly inside: string[];
}

/** A cable between two hosts. */
export interface Cable {
  /** The address of each end's other end: what one dials to reach the other. */
  readonly farOf: (host: Host) => string;
  cut(): void;
  mend(): void;
}

const PREFIX = 'caravan-host';

/** Why no hosts can be made here, for skipping; undefined where they can. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== 'linux') return 'hosts are network namespaces, which need Linux';
  if (process.getuid?.() !== 0) return 'hosts are network namespaces, which need root';
  return findCommand('ip') && findCommand('nsenter') ? undefined : 'install iproute2 and util-linux';
}

/** Hosts that reach each other over their cables only, and nothing else: no interface of this machine is in them. */
export class Hosts {
  readonly #names: string[] = [];
  #cables = 0;

  constructor() {
    removeLeftovers();
  }

  add(): Host {
    const name = `${PREFIX}-${process.pid}-${this.#names.length}`;
    ip('netns', 'add', name);
    this.#names.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return { inside: [findCommand('nsenter')!, `--net=/run/netns/${name}`] };
  }

  connect(a: Host, b: Host): Cable {
    const [nameA, nameB] = [a, b].map(({ inside }) => inside[1]!.split('/').at(-1)!) as [string, string];
    const cable = this.#cables++;
    const device = `c${cable}`;
    const network = `10.${214 + Math.floor(cable / 64 / 256)}.${Math.floor(cable / 64) % 256}`;
    const at = (cable % 64) * 4;
    const [addressA, addressB] = [`${network}.${at + 1}`, `${network}.${at + 2}`];
    ip('link', 'add', device, 'netns', nameA, 'type', 'veth', 'peer', 'name', device, 'netns', nameB);
    for (const [name, address] of [
      [nameA, addressA],
      [nameB, addressB],
    ] as const) {
      ip('-n', name, 'address', 'add', `${address}/30`, 'dev', device);
      ip('-n', name, 'link', 'set', device, 'up');
    }
    return {
      farOf: (host) => (host === a ? addressB : addressA),
      cut: () => ip('-n', nameA, 'link', 'set', device, 'down'),
      mend: () => ip('-n', nameA, 'link', 'set', device, 'up'),
    };
  }

  stop(): void {
    for (const name of this.#names.splice(0)) ip('netns', 'delete', name);
  }
}

/** Of a run that was killed. */
function removeLeftovers(): void {
  if (!existsSync('/run/netns')) return;
  for (const name of readdirSync('/run/netns')) {
    const [, pid] = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) ip('netns', 'delete', name);
  }
}

function ip(...args: string[]): void {
  execFileSync(findCommand('ip')!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
