import type { PortForward } from '../api/types.ts';
import { MAX_COST } from '../routing/limits.ts';
import { OUTPUT_OPTION, parseArguments, SOCKET_OPTION, UsageError, wantsJson, wholeNumber } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { readToken } from './read-token.ts';
import { waitForStatus } from '../api/wait-for-status.ts';

/** How long the command waits to tell whether the new link carries traffic. Milliseconds. */
const LINK_MS = 5000;

export const command: Command = {
  help: `Usage: caravan token redeem FILE [--cost N] [--name NAME] [--socket PATH_OR_NAME]

Links this site with the one that issued the token in FILE ("-" is standard input): makes a Link.

  --cost N              what a path through the link costs; default 1
  --name NAME           the link's name; default the token's
  --context CONTEXT     reach the site through the Kubernetes API server of this kubeconfig context, where it has no way in
  --namespace NAME      the site's namespace; with --context
  --kubeconfig PATH     default KUBECONFIG, else ~/.kube/config; with --context
  -o json               print what was made, for programs
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const options = {
      cost: text,
      name: text,
      context: text,
      namespace: text,
      kubeconfig: text,
      ...SOCKET_OPTION,
      ...OUTPUT_OPTION,
    };
    const { values, positionals } = parseArguments(args, options, ['FILE']);
    const json = wantsJson(values.output);
    const cost = values.cost === undefined ? undefined : wholeNumber('--cost', values.cost, 1, MAX_COST);
    const portForward = toPortForward(values);
    const yaml = await readToken(positionals[0]!, io);
    const client = await connectToSite(values.socket);
    const { link, peer } = await client.redeemToken({
      yaml,
      ...(cost && { cost }),
      ...(values.name && { name: values.name }),
      ...(portForward && { portForward }),
    });
    if (json) return io.out(`${JSON.stringify({ link, peer })}\n`);
    const find = (links: { id: string; state: string; message?: string }[]) => links.find(({ id }) => id === link);
    const status = await waitForStatus(client, ({ links }) => find(links)?.state === 'up', LINK_MS);
    const made = find(status?.links ?? []);
    const state = made?.state === 'up' ? 'up' : `still connecting${made?.message ? `: ${made.message}` : ''}`;
    io.out(`Linked with ${peer}: the link ${link} is ${state}${state.endsWith('.') ? '' : '.'}\n`);
  },
};

function toPortForward(values: { context?: string; namespace?: string; kubeconfig?: string }): PortForward | undefined {
  const { context, namespace, kubeconfig } = values;
  if (context && namespace) return { context, namespace, ...(kubeconfig && { kubeconfig }) };
  if (context ?? namespace ?? kubeconfig) throw new UsageError('--context and --namespace go together.');
  return undefined;
}
