import type { MadeResource } from '../api/types.ts';
import { parseArguments, SOCKET_OPTION, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';

const KINDS: Record<string, MadeResource['kind']> = { link: 'Link', listener: 'Listener', connector: 'Connector' };

export const command: Command = {
  help: `Usage: caravan remove link|listener|connector NAME [--socket PATH_OR_NAME]

Removes what "token redeem", "listen" or "expose" made. "caravan status" shows the names. What stands in a file is
removed by removing it there.
`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, SOCKET_OPTION, ['KIND', 'NAME']);
    const [word = '', name = ''] = positionals;
    const kind = KINDS[word.toLowerCase()];
    if (!kind) throw new UsageError(`"${word}" cannot be removed: it takes link, listener or connector.`);
    await (await connectToSite(values.socket)).remove({ kind, name });
    io.out(`The ${word.toLowerCase()} ${name} is removed.\n`);
  },
};
