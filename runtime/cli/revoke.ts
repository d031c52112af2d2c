import { parseArguments, SOCKET_OPTION } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { counted } from '../words.ts';

export const command: Command = {
  help: `Usage: caravan revoke SITE [--socket PATH_OR_NAME]

Lets the site in no more and cuts its links, at once and for good. SITE is its name or id; a name that several sites have revokes none
of them, and tells their ids. Tokens that nobody has used yet stay valid, but not for that site: to come back it needs a new identity,
which is another --data, or on Kubernetes a new site.
`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, SOCKET_OPTION, ['SITE']);
    const site = positionals[0]!;
    const count = await (await connectToSite(values.socket)).revoke(site);
    io.out(`${site} is let in no more: ${counted(count, 'certificate')} revoked.\n`);
  },
};
