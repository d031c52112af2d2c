import { OUTPUT_OPTION, parseArguments, SOCKET_OPTION, wantsJson } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { linksTable } from './views.ts';

export const command: Command = {
  help: `Usage: caravan links [-o json] [--socket PATH_OR_NAME]

The links of the running site, in both directions. Under the table stands why a link is not up.
`,
  async run(args, io) {
    const { values } = parseArguments(args, { ...SOCKET_OPTION, ...OUTPUT_OPTION });
    const json = wantsJson(values.output);
    const status = await (await connectToSite(values.socket)).status();
    io.out(json ? `${JSON.stringify(status.links, null, 2)}\n` : linksTable(status, io.now()));
  },
};
