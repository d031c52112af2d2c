import { parseArguments, SOCKET_OPTION } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';

export const command: Command = {
  help: `Usage: caravan metrics [--socket PATH_OR_NAME]

What the running site counts, in the text format of Prometheus: links, listeners, requests, connectors, memory. In a pod
the same is at port 9090, path /metrics.
`,
  async run(args, io) {
    const { values } = parseArguments(args, SOCKET_OPTION);
    io.out(await (await connectToSite(values.socket)).metrics());
  },
};
