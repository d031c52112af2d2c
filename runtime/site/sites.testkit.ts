/** Whole sites in this process, joined over real sockets. */
import { MemoryStore } from '../../test/support/memory-store.ts';
import { until } from '../../test/support/until.ts';
import type { Clock } from '../clock.ts';
import { silentLog } from '../log.ts';
import type { Resource } from './resources.ts';
import { Site } from './site.ts';
import type { ResourceSource, WishedState } from './source.ts';

const sites: Site[] = [];

/** Ends all that were started. */
export async function closeSites(): Promise<void> {
  await Promise.all(sites.splice(0).map((site) => site.close()));
}

/** Resources that a test changes. */
class TestSource implements ResourceSource {
  #state: WishedState;
  #changed: (state: WishedState) => void = () => {};

  constructor(resources: Resource[]) {
    this.#state = { resources, problems: [] };
  }

  async watch(changed: (state: WishedState) => void): Promise<void> {
    this.#changed = changed;
    changed(this.#state);
  }

  set(resources: Resource[]): void {
    this.#state = { resources, problems: [] };
    this.#changed(this.#state);
  }

  async close(): Promise<void> {}
}

/** `access`: the settings of its RouterAccess. */
export function resourcesOf(
  name: string,
  settings: Record<string, string> = {},
  access: Record<string, string> = {},
): Resource[] {
  const where = 'the test';
  const roles = [{ name: 'inter-router' as const, port: 0 }];
  return [
    { kind: 'Site', name, spec: { edge: false, settings }, where },
    { kind: 'RouterAccess', name: 'links', spec: { roles, bindHost: '127.0.0.1', settings: access }, where },
  ];
}

/** A site that takes links on loopback. With the store of another it is that one, started again. */
export async function start(
  name: string,
  settings?: Record<string, string>,
  { store = new MemoryStore(), clock, access }: { store?: MemoryStore; clock?: Clock; access?: Record<string, string> } = {},
) {
  const source = new TestSource(resourcesOf(name, settings, access));
  const site = await Site.start({ store, sources: [source], platform: 'host', ...(clock && { clock }), log: silentLog });
  sites.push(site);
  return { site, store, source };
}

export async function link(from: Site, to: Site): Promise<void> {
  const { yaml } = await from.issueToken({});
  const { link: name } = await to.redeemToken({ yaml });
  await until('the link', () => to.status().links.some(({ id, state }) => id === name && state === 'up'));
}
