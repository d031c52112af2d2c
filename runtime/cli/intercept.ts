import type { Intercept } from '../api/types.ts';
import { reachedAt } from '../words.ts';
import { OUTPUT_OPTION, parseArguments, required, SOCKET_OPTION, UsageError, wantsJson, wholeNumber } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';

export const command: Command = {
  help: `Usage: caravan intercept ADDRESS --port PORT [--header 'NAME: VALUE' | --take-over | --listen-in]
                         [--host HOST] [--service-port PORT]

Lets a server of this computer stand in for those of ADDRESS, for clients everywhere, pods of its own cluster included. It takes some: the
requests with a field that says they are yours, by default "baggage: caravan=USER". All others get what they always got; so does
everybody once this computer is gone, or after "caravan remove connector NAME".

  --port PORT           where your server listens
  --header 'NAME: VALUE' take requests with this field, or with this in its list; NAME=VALUE will do. http and http2
  --take-over           take all: requests, connections, datagrams
  --listen-in           get a copy of each request; what your server answers is dropped. http
  --host HOST           your server's host; default 127.0.0.1
  --service-port PORT   which port of ADDRESS, where it has several
  -o json               print what was made, for programs
  --socket PATH_OR_NAME the running site
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const yes = { type: 'boolean' } as const;
    const options = {
      port: text,
      header: text,
      'take-over': yes,
      'listen-in': yes,
      host: text,
      'service-port': text,
      ...SOCKET_OPTION,
      ...OUTPUT_OPTION,
    };
    const { values, positionals } = parseArguments(args, options, ['ADDRESS']);
    const json = wantsJson(values.output);
    const address = positionals[0]!;
    const port = wholeNumber('--port', required('--port', values.port), 1, 65_535);
    const servicePort =
      values['service-port'] === undefined ? undefined : wholeNumber('--service-port', values['service-port'], 1, 65_535);
    const how = howOf(values);
    const header = values.header === undefined ? undefined : fieldOf(values.header);
    const client = await connectToSite(values.socket);
    const made = await client.intercept({
      address,
      port,
      how,
      ...(header !== undefined && { header }),
      ...(values.host && { host: values.host }),
      ...(servicePort !== undefined && { servicePort }),
    });
    if (json) return io.out(`${JSON.stringify(made)}\n`);
    const { host = '127.0.0.1' } = values;
    const server = reachedAt({ host, port });
    const what = { 'take-over': 'takes over', 'take-some': 'takes some of', 'listen-in': 'listens in to' }[how];
    io.out(`${server} ${what} ${address}${made.header ? `: requests with ${made.header}` : ''} (connector ${made.name}).\n`);
  },
};

function howOf(given: { header?: string; 'take-over'?: boolean; 'listen-in'?: boolean }): Intercept {
  if (given['take-over'] && (given['listen-in'] || given.header !== undefined))
    throw new UsageError('--take-over takes all: leave --header and --listen-in out.');
  if (given['listen-in']) return 'listen-in';
  return given['take-over'] ? 'take-over' : 'take-some';
}

/** `NAME=VALUE` is `NAME: VALUE`, where no colon comes before. */
function fieldOf(text: string): string {
  const [, name, value] = /^([^:=]+)=(.*)$/.exec(text) ?? [];
  return name === undefined ? text : `${name}: ${value}`;
}
