import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { logDefects } from '../defects.ts';
import { dataHome } from '../api/data-home.ts';
import { ApiServer } from '../api/server.ts';
import { socketPath } from '../api/sockets.ts';
import { createLog } from '../log.ts';
import { directoryStore } from '../site/directory-store.ts';
import { FolderSource } from '../site/folder-source.ts';
import { Site } from '../site/site.ts';
import type { Io } from './command.ts';
import { lockData } from './data-lock.ts';
import { startedWithin, startLifetime } from './lifetime.ts';
import { namedSite, siteNameIn } from './site-name.ts';
import { dialPortForward } from './port-forward.ts';
import { reportProblems } from './problems.ts';

interface HostOptions {
  config?: string | undefined;
  data?: string | undefined;
  name?: string | undefined;
  socket?: string | undefined;
  untilStdinCloses?: boolean | undefined;
}

/** Runs a site until it is told to end. Throws before the site starts where the socket, the configuration or the data cannot be had. */
export async function runOnHost({ config, data, name, socket, untilStdinCloses = false }: HostOptions, io: Io): Promise<void> {
  const log = createLog();
  logDefects(log);
  const lifetime = startLifetime({ untilStdinCloses });
  const configured = config === undefined ? undefined : await siteNameIn(new FolderSource(config));
  const siteName = configured ?? name ?? hostSiteName();
  const path = socket === undefined ? socketPath(siteName) : /[/\\]/.test(socket) ? socket : socketPath(socket);

  const folder = data ?? join(dataHome(), configured ?? name ?? 'default');

  // The socket first, then the data: two processes never work on one site's, however close together they start.
  const api = new ApiServer({ stop: () => lifetime.end('asked to stop'), log: log.named('api') });
  await api.listenOnSocket(path);
  let unlock: (() => Promise<void>) | undefined;
  try {
    unlock = await lockData(folder, resolve(path));
    const starting = Site.start({
      store: directoryStore(folder),
      sources: [
        ...(config === undefined ? [] : [new FolderSource(config)]),
        ...(configured === undefined ? [namedSite(siteName)] : []),
      ],
      platform: 'host',
      portForward: dialPortForward,
      log,
    });
    const site = await startedWithin(lifetime, starting);
    if (!site) return;
    api.attach(site);
    const silence = reportProblems(site, ({ where, message }) => io.err(`caravan: ${where}: ${message}\n`));
    io.out(`caravan: site ${site.status().site.name} is ready, socket ${path}\n`);
    log.info('ends', { reason: await lifetime.ended });
    silence();
    await site.close();
  } finally {
    await unlock?.();
    await api.close();
  }
}

/** This host's name as a site's may be: without its domain, lower case letters, digits and "-". */
function hostSiteName(): string {
  const short = hostname().split('.')[0]!.toLowerCase();
  return short.replaceAll(/[^a-z0-9-]/g, '-').replaceAll(/^-+|-+$/g, '') || 'host';
}
