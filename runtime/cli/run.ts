import { parseArguments, SOCKET_OPTION, UsageError } from './arguments.ts';
import { collectYoungFirst } from './collector.ts';
import type { Command } from './command.ts';
import { compileOnceBusy } from './compilers.ts';

export const command: Command = {
  help: `Usage: caravan run [--config FILE_OR_DIR] [--data DIR] [--name NAME] [--socket PATH_OR_NAME]
       caravan run --kubernetes

Runs a site in the foreground and prints one line when it is ready. SIGTERM or SIGINT let its connections end, then
end it; a second one ends it at once.

  --config FILE_OR_DIR  its resources as YAML, read again when they change: Site, RouterAccess, Listener, Connector, Link ...
  --data DIR            what it remembers: identity, tokens given, links; default caravan/NAME where this user's data lives
  --name NAME           its name where the configuration has no Site; default this host's
  --socket PATH_OR_NAME where commands reach it; default after its name
  --kubernetes          run as the site of the pod's namespace
  --until-stdin-closes  end as well when standard input does: for programs that start a site

CARAVAN_LOG=debug|info|warn|error|silent says how much is logged to standard error.
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    const options = { config: text, data: text, name: text, kubernetes: flag, 'until-stdin-closes': flag, ...SOCKET_OPTION };
    const { values } = parseArguments(args, options);
    compileOnceBusy();
    collectYoungFirst();
    if (!values.kubernetes)
      return (await import('./run-on-host.ts')).runOnHost({ ...values, untilStdinCloses: values['until-stdin-closes'] }, io);
    if (values.config || values.data || values.name || values.socket)
      throw new UsageError('--kubernetes takes everything from the pod: leave out the other options.');
    return (await import('./run-in-pod.ts')).runInPod(io);
  },
};
