import { OUTPUT_OPTION, parseArguments, SOCKET_OPTION, wantsJson } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { connectorsTable, headline, linksTable, listenersTable, problemLines, servicesTable, sitesTable } from './views.ts';

export const command: Command = {
  help: `Usage: caravan status [-o json] [--socket PATH_OR_NAME]

The whole network as the running site sees it: sites, links, services, this site's listeners and connectors, and what
cannot be had. -o json prints all of it for programs.
`,
  async run(args, io) {
    const { values } = parseArguments(args, { ...SOCKET_OPTION, ...OUTPUT_OPTION });
    const json = wantsJson(values.output);
    const status = await (await connectToSite(values.socket)).status();
    if (json) return io.out(`${JSON.stringify(status, null, 2)}\n`);
    const parts = [
      headline(status, io.now()) + problemLines(status),
      sitesTable(status),
      linksTable(status, io.now()),
      servicesTable(status),
      ...(status.listeners.length > 0 ? [listenersTable(status)] : []),
      ...(status.connectors.length > 0 ? [connectorsTable(status)] : []),
    ];
    io.out(parts.join('\n'));
  },
};
