/** What routers hold in memory, measured from outside: the resident set, garbage and all. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { API_VERSION } from '../../runtime/site/resources.ts';
import type { SiteProcess } from '../router/site-processes.ts';
import { freePort, listens } from './ports.ts';
import { Program } from './program.ts';
import type { Setting } from './row.ts';
import { Scope } from './scope.ts';
import { listenAt, startLine } from './site-line.ts';
import { until } from '../support/until.ts';

/** A file of resources may have 1 MiB. */
const CONNECTORS_PER_FILE = 2000;
/** Taken as settled once it has not changed by more than a hundredth for so long. Milliseconds. */
const SETTLED_FOR_MS = 2000;
const SETTLED_FOR_IN_QUICK_MS = 500;
/** It is taken as it is after this. Milliseconds. */
const SETTLES_WITHIN_MS = 10_000;

/** Megabytes of a router that is linked to another and does nothing; the larger of the two. */
export function idleMemory({ quick }: Setting, outer: Scope): Promise<number> {
  return withPair(outer, (far, near) => largest([far, near], quick));
}

/** Megabytes of a router that so many idle streams pass; the larger of the two. */
export function memoryWithStreams(count: number, { quick }: Setting, outer: Scope): Promise<number> {
  return withPair(outer, async (far, near, scope) => {
    const server = scope.use(Program.own('idle-server'));
    await far.api.expose({ address: 'idle', port: await server.printsPort() });
    const clients = scope.use(Program.own('idle-clients', await listenAt(near, 'idle', 'tcp'), count));
    if (count > 0) await clients.prints(/^open$/m);
    return largest([far, near], quick);
  });
}

/** Megabytes of a router in a network of so many services, all offered by one router and known to another; the larger of the two. */
export function memoryWithServices(count: number, { quick }: Setting, outer: Scope): Promise<number> {
  return withPair(outer, async (far, near) => {
    if (count > 0) await offer(far, near, count);
    return largest([far, near], quick);
  });
}

/** Offers services at a site, each at `server-NUMBER` and all the same port; resolves once the other site knows the last. */
export async function offer(far: SiteProcess, near: SiteProcess, count: number, port = 9): Promise<void> {
  const known = await freePort();
  await near.api.listen({ address: `server-${count - 1}`, port: known });
  for (let from = 0; from < count; from += CONNECTORS_PER_FILE)
    await far.write(
      `connectors-${from}.yaml`,
      Array.from({ length: Math.min(CONNECTORS_PER_FILE, count - from) }, (_, at) => ({
        apiVersion: API_VERSION,
        kind: 'Connector',
        metadata: { name: `server-${from + at}` },
        spec: { routingKey: `server-${from + at}`, host: '127.0.0.1', port },
      })),
    );
  // Asked of the kernel: a status that names every service would be what fills the memory.
  await until(`${count} services to be known`, () => listens(known), { timeoutMs: 120_000 });
}

async function withPair(
  outer: Scope,
  measure: (far: SiteProcess, near: SiteProcess, scope: Scope) => Promise<number>,
): Promise<number> {
  const scope = outer.use(new Scope());
  try {
    const [far, near] = await startLine(2, scope);
    return await measure(far!, near!, scope);
  } finally {
    await scope.stop();
  }
}

async function largest(sites: readonly SiteProcess[], quick: boolean): Promise<number> {
  const forMs = quick ? SETTLED_FOR_IN_QUICK_MS : SETTLED_FOR_MS;
  return Math.max(...(await Promise.all(sites.map(async ({ api }) => settled((await api.status()).router.pid, forMs)))));
}

async function settled(pid: number, forMs: number): Promise<number> {
  let [last, since] = [await residentMegabytes(pid), performance.now()];
  const deadline = since + SETTLES_WITHIN_MS;
  for (let now = since; now < deadline && now - since < forMs; now = performance.now()) {
    await sleep(100);
    const current = await residentMegabytes(pid);
    if (Math.abs(current - last) > last / 100) [last, since] = [current, performance.now()];
  }
  return residentMegabytes(pid);
}

async function residentMegabytes(pid: number): Promise<number> {
  return (Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) * 1024) / 1e6;
}
