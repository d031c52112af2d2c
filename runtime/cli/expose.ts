import { DISTRIBUTIONS, PROTOCOLS } from '../api/vocabulary.ts';
import { oneOf, OUTPUT_OPTION, parseArguments, required, SOCKET_OPTION, wantsJson, wholeNumber } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';

export const command: Command = {
  help: `Usage: caravan expose ADDRESS --port PORT [--host HOST] [--type TYPE] [--distribution HOW]

Offers a server to the whole network at ADDRESS: makes a Connector. "caravan remove connector NAME" takes it back.

  --port PORT           where the server listens; clients see the same port
  --host HOST           the server's host; default 127.0.0.1
  --type TYPE           tcp (default), http, http2, udp or amqp
  --distribution HOW    among several servers of the address: balanced (default), closest, or multicast to all (udp and http)
  -o json               print what was made, for programs
  --socket PATH_OR_NAME the running site
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const options = { port: text, host: text, type: text, distribution: text, ...SOCKET_OPTION, ...OUTPUT_OPTION };
    const { values, positionals } = parseArguments(args, options, ['ADDRESS']);
    const json = wantsJson(values.output);
    const port = wholeNumber('--port', required('--port', values.port), 1, 65_535);
    const type = oneOf('--type', values.type, PROTOCOLS);
    const distribution = oneOf('--distribution', values.distribution, DISTRIBUTIONS);
    const address = positionals[0]!;
    const client = await connectToSite(values.socket);
    const made = await client.expose({
      address,
      port,
      ...(values.host && { host: values.host }),
      ...(type && { type }),
      ...(distribution && { distribution }),
    });
    const server = `${values.host ?? '127.0.0.1'}:${port}`;
    io.out(json ? `${JSON.stringify(made)}\n` : `${address} is exposed: it leads to ${server} (connector ${made.name}).\n`);
  },
};
