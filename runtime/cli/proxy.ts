import { proxyEnvironment } from '../api/environment.ts';
import { reachedAt } from '../words.ts';
import { OUTPUT_OPTION, parseArguments, SOCKET_OPTION, UsageError, wantsJson, wholeNumber } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { exportLines } from './shells.ts';

export const command: Command = {
  help: `Usage: caravan proxy [--port PORT] [-o json] [--socket PATH_OR_NAME]
       caravan proxy --stop [--socket PATH_OR_NAME]

Opens a SOCKS5 and HTTP proxy of the running site on 127.0.0.1, and prints how to use it. It leads to the network's services by the names
that pods use (backend, backend.shop, backend.shop.svc.cluster.local) and their own ports; everything else is reached as without it.
It stays, over restarts, until --stop.

  --port PORT           default: that of the proxy that is open, else one that the system chooses, as for 0
  --stop                close it
  -o json               print where it is, for programs
`,
  async run(args, io) {
    const options = { port: { type: 'string' }, stop: { type: 'boolean' }, ...SOCKET_OPTION, ...OUTPUT_OPTION } as const;
    const { values } = parseArguments(args, options);
    const json = wantsJson(values.output);
    if (values.stop && values.port !== undefined) throw new UsageError('--stop takes no --port.');
    const port = values.port === undefined ? undefined : wholeNumber('--port', values.port, 0, 65_535);
    const client = await connectToSite(values.socket);
    if (values.stop) {
      await client.closeProxy();
      return io.out(json ? '{}\n' : 'The proxy is closed.\n');
    }
    const proxy = await client.openProxy(port === undefined ? {} : { port });
    if (json) return io.out(`${JSON.stringify(proxy)}\n`);
    const usual = Object.entries(proxyEnvironment(proxy)).filter(([name]) => name === name.toLowerCase());
    io.out(
      `The proxy is at ${reachedAt(proxy)}. In a shell that is to use it:\n\n${exportLines(Object.fromEntries(usual), 'sh')}`,
    );
  },
};
