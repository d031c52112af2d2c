import { OUTPUT_OPTION, parseArguments, SOCKET_OPTION, wantsJson } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { servicesTable } from './views.ts';

export const command: Command = {
  help: `Usage: caravan services [-o json] [--socket PATH_OR_NAME]

Every service of the network: its address, protocol and ports, how clients are spread, which sites offer it and how often,
and where a client on this computer connects.
`,
  async run(args, io) {
    const { values } = parseArguments(args, { ...SOCKET_OPTION, ...OUTPUT_OPTION });
    const json = wantsJson(values.output);
    const status = await (await connectToSite(values.socket)).status();
    io.out(json ? `${JSON.stringify(status.services, null, 2)}\n` : servicesTable(status));
  },
};
