import { delimiter, resolve } from 'node:path';
import { ApiClient } from '../api/client.ts';
import { LocalRouter } from '../api/laptop/local-router.ts';
import { areLinked, linkSites, redeemAndWait } from '../api/link-sites.ts';
import type { PortForward } from '../api/types.ts';
import { OUTPUT_OPTION, parseArguments, UsageError, wantsJson } from './arguments.ts';
import type { Command } from './command.ts';
import { loadKubernetes } from './load-kubernetes.ts';
import { ownScript } from './own-script.ts';
import { readToken } from './read-token.ts';

const LAPTOP_LABEL = 'this laptop';

export const command: Command = {
  help: `Usage: caravan join --context CONTEXT --namespace NAMESPACE [--kubeconfig PATH] [-o json]
       caravan join --token FILE [-o json]

Joins a network with this laptop, as "Join with This Laptop" of the editor does: with one router for this user, which runs in the
background until "caravan leave". Every service of the network gets a port on 127.0.0.1 ("caravan services").

  --context CONTEXT     the site is in the cluster of this kubeconfig context; it is reached through the API server
  --namespace NAMESPACE the site's namespace
  --kubeconfig PATH     default KUBECONFIG, else ~/.kube/config
  --token FILE          with a token that a site issued instead; "-" is standard input
  -o json               print the site's name and the router's socket, for programs
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const options = { context: text, namespace: text, kubeconfig: text, token: text, ...OUTPUT_OPTION };
    const { values } = parseArguments(args, options);
    const json = wantsJson(values.output);
    const { context, namespace, kubeconfig, token } = values;
    if ((context !== undefined || namespace !== undefined || kubeconfig !== undefined) === (token !== undefined))
      throw new UsageError('Say where to join: either --context and --namespace, or --token.');
    const router = LocalRouter.ofThisUser({ script: ownScript() });
    const joined =
      token === undefined
        ? await joinThroughCluster(router, toPortForward({ context, namespace, kubeconfig }))
        : await joinWithToken(router, await readToken(token, io));
    if (json) return io.out(`${JSON.stringify({ peer: joined.peer, socket: router.ref.socket })}\n`);
    io.out(joined.already ? `This laptop has joined ${joined.peer} already.\n` : `This laptop has joined ${joined.peer}.\n`);
  },
};

interface Joined {
  peer: string;
  already?: boolean;
}

/** The site is asked before anything is started: where it cannot be, nothing has happened. */
async function joinThroughCluster(router: LocalRouter, way: PortForward): Promise<Joined> {
  const { connectToSite } = await loadKubernetes();
  const site = new ApiClient((signal) => connectToSite(way, 'api', signal ? { signal } : {}));
  const there = await site.status();
  const label = `${way.context}/${way.namespace}`;
  return withRouter(router, async (laptop, signal) => {
    const here = await laptop.status(signal);
    const ends = [here, there].map((status) => ({ id: status.site.id, links: status.links }));
    if (areLinked(ends[0]!, ends[1]!)) return { peer: label, already: true };
    const redeemer = { api: laptop, label: LAPTOP_LABEL };
    await linkSites({ api: site, label }, redeemer, { signal, progress: () => {}, portForward: way });
    return { peer: label };
  });
}

function joinWithToken(router: LocalRouter, yaml: string): Promise<Joined> {
  return withRouter(router, async (api, signal) => ({
    peer: await redeemAndWait({ api, label: LAPTOP_LABEL }, { yaml }, { signal, progress: () => {} }),
  }));
}

/** Finds or starts the router. One that was started for what failed then, and has nothing, does not stay. */
async function withRouter<T>(router: LocalRouter, work: (laptop: ApiClient, signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal } = new AbortController();
  const ranBefore = await router.isRunning();
  const laptop = ApiClient.overSocket((await router.ensure(signal)).socket);
  try {
    return await work(laptop, signal);
  } catch (error) {
    if (!ranBefore) await stopWhereEmpty(laptop);
    throw error;
  }
}

async function stopWhereEmpty(laptop: ApiClient): Promise<void> {
  try {
    const { links, connectors } = await laptop.status();
    if (links.length === 0 && connectors.length === 0) await laptop.stop();
  } catch {
    // It has ended by itself, or will be found again.
  }
}

/** As the router can use it: it runs elsewhere, with another environment. */
function toPortForward(values: {
  context: string | undefined;
  namespace: string | undefined;
  kubeconfig: string | undefined;
}): PortForward {
  const { context, namespace, kubeconfig = process.env['KUBECONFIG'] } = values;
  if (!context || !namespace) throw new UsageError('--context and --namespace go together.');
  const paths = kubeconfig?.split(delimiter).filter(Boolean);
  return { context, namespace, ...(paths?.length && { kubeconfig: paths.map((path) => resolve(path)).join(delimiter) }) };
}
