import type { Protocol } from '../../runtime/api/vocabulary.ts';
import { type SiteProcess, SiteProcesses } from '../router/site-processes.ts';
import type { Scope } from './scope.ts';

/** Routers as processes, each linked to the one before. `between` puts something on the way of every link; see `Target`. */
export async function startLine(
  count: number,
  scope: Scope,
  between?: (port: number) => Promise<number>,
): Promise<SiteProcess[]> {
  const processes = scope.use(await SiteProcesses.make());
  const sites: SiteProcess[] = await processes.start(...Array.from({ length: count }, (_, at) => `site-${at}`));
  for (const [at, site] of sites.slice(1).entries()) await link(sites[at]!, site, between);
  return sites;
}

/** A listener on a port that the system chooses; resolves to the port once it takes clients. */
export async function listenAt(site: SiteProcess, address: string, type: Protocol): Promise<number> {
  const { name } = await site.api.listen({ address, port: 0, type });
  return site.status(`listener ${name} open`, ({ listeners }) => {
    const listener = listeners.find((each) => each.name === name);
    if (listener?.state === 'failed') throw new Error(listener.message);
    return listener?.state === 'open' && listener.port;
  });
}

async function link(from: SiteProcess, to: SiteProcess, between?: (port: number) => Promise<number>): Promise<void> {
  const { yaml } = await from.api.issueToken({});
  const port = Number(/https:\/\/127\.0\.0\.1:(\d+)/.exec(yaml)![1]);
  // A link first goes the way that its token was redeemed.
  const way = (await between?.(port)) ?? port;
  const { link: name } = await to.api.redeemToken({ yaml: yaml.replace(`127.0.0.1:${port}`, `127.0.0.1:${way}`) });
  await to.status(`link ${name} up`, ({ links }) => links.some(({ id, state }) => id === name && state === 'up'));
}
