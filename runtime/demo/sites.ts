import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient } from '../api/client.ts';
import { socketPath } from '../api/sockets.ts';
import type { Status } from '../api/types.ts';
import { CaravanError } from '../errors.ts';
import { Child } from './child.ts';

/** How long something in the network may take to become so. Milliseconds. */
const SETTLE_MS = 20_000;

export type DemoSiteName = 'cloud' | 'onprem' | 'laptop';

/** cloud and onprem take links from others, laptop is an edge, which only dials out, and gives every service a local port, as a laptop does. */
const CONFIG: Record<DemoSiteName, string> = {
  cloud: site('cloud') + access('cloud'),
  onprem: site('onprem') + access('onprem'),
  laptop: site('laptop', '  edge: true\n  settings:\n    autoListen: loopback\n'),
};

export const DEMO_SITES = Object.keys(CONFIG) as DemoSiteName[];

/** A site of the demo: a process of its own, asked through its management API like any other. */
export class DemoSite {
  readonly name: DemoSiteName;
  readonly child: Child;
  readonly client: ApiClient;

  private constructor(name: DemoSiteName, child: Child) {
    this.name = name;
    this.child = child;
    this.client = ApiClient.overSocket(demoSocket(name));
  }

  /** Writes the site's configuration below `folder` and starts its process. */
  static async start(name: DemoSiteName, folder: string, onLine: (line: string) => void): Promise<DemoSite> {
    const config = join(folder, name, 'config');
    await mkdir(config, { recursive: true, mode: 0o700 });
    await writeFile(join(config, 'site.yaml'), CONFIG[name]);
    const args = ['run', '--config', config, '--data', join(folder, name, 'data'), '--socket', demoSocket(name)];
    const env = { CARAVAN_LOG: process.env['CARAVAN_LOG'] ?? 'error' };
    return new DemoSite(name, new Child({ name: `the site ${name}`, args, env, onLine }));
  }

  async ready(): Promise<void> {
    await this.child.ready(/^caravan: site \S+ is ready/);
  }

  /** Links this site with the other as people do: the other issues a token, this one redeems it, and the link comes up. */
  async linkWith(other: DemoSite): Promise<void> {
    const { yaml } = await other.client.issueToken({ expires: '5m' });
    const { link } = await this.client.redeemToken({ yaml });
    const up = ({ links }: Status) => links.some(({ id, state }) => id === link && state === 'up') || undefined;
    await this.until(`its link with ${other.name} is not up`, up);
  }

  /** The place where clients of `address` connect at this site, once something offers it. */
  async listenerOf(address: string): Promise<{ host: string; port: number }> {
    return this.until(`nothing offers ${address} to it`, ({ listeners }) =>
      listeners.find((listener) => listener.address === address && listener.state === 'open' && listener.port > 0),
    );
  }

  /** What `find` finds in the status, as soon as it does. */
  async until<T>(complaint: string, find: (status: Status) => T | undefined): Promise<T> {
    for await (const status of this.client.watch(AbortSignal.timeout(SETTLE_MS))) {
      const found = find(status);
      if (found !== undefined) return found;
    }
    throw new CaravanError('timeout', `${this.name} is not as it should be after ${SETTLE_MS / 1000} s: ${complaint}.`);
  }
}

export function demoSocket(name: DemoSiteName): string {
  return socketPath(`demo-${name}`);
}

function site(name: string, settings = ''): string {
  return `apiVersion: skupper.io/v2alpha1\nkind: Site\nmetadata:\n  name: ${name}\nspec:${settings === '' ? ' {}' : `\n${settings.trimEnd()}`}\n`;
}

function access(name: string): string {
  return `---
apiVersion: skupper.io/v2alpha1
kind: RouterAccess
metadata:
  name: ${name}
spec:
  bindHost: 127.0.0.1
  roles:
    - name: inter-router
      port: 0
`;
}
