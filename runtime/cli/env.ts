import { proxyEnvironment, serviceEnvironment } from '../api/environment.ts';
import { CaravanError } from '../errors.ts';
import { oneOf, parseArguments, SOCKET_OPTION } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { exportLines, SHELLS } from './shells.ts';

export const command: Command = {
  help: `Usage: caravan env [--shell sh|fish|powershell|dotenv] [--proxy] [--socket PATH_OR_NAME]

Prints NAME_SERVICE_HOST and NAME_SERVICE_PORT, as Kubernetes names them in pods, for every service that has an open port on this
computer. Of several ports the lowest is NAME_SERVICE_PORT, and each is NAME_SERVICE_PORT_8080 besides.

  --shell SHELL         default sh; to use it:
                          sh          eval "$(caravan env)"
                          fish        caravan env --shell fish | source
                          powershell  caravan env --shell powershell | Out-String | Invoke-Expression
                          dotenv      caravan env --shell dotenv > .env
  --proxy               http_proxy and its like, too: see "caravan proxy"
`,
  async run(args, io) {
    const options = { shell: { type: 'string' }, proxy: { type: 'boolean' }, ...SOCKET_OPTION } as const;
    const { values } = parseArguments(args, options);
    const shell = oneOf('--shell', values.shell, SHELLS) ?? 'sh';
    const status = await (await connectToSite(values.socket)).status();
    if (values.proxy && !status.proxy)
      throw new CaravanError('not-found', 'No proxy is open at this site: open one with "caravan proxy".');
    const proxy = values.proxy && status.proxy ? proxyEnvironment(status.proxy) : {};
    io.out(exportLines({ ...serviceEnvironment(status), ...proxy }, shell));
  },
};
