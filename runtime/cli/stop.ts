import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../api/client.ts';
import { isAnswered } from '../api/sockets.ts';
import { CaravanError } from '../errors.ts';
import { parseArguments, SOCKET_OPTION } from './arguments.ts';
import type { Command } from './command.ts';
import { findSocket } from './connect.ts';

/** A site that drains takes as long as its connections; then it is told to end at once. Milliseconds. */
const LIMIT_MS = 30_000;

export const command: Command = {
  help: `Usage: caravan stop [--socket PATH_OR_NAME]

Ends the running site: it takes no new connections, lets those that run end for a while, and ends. Waits until it has.
`,
  async run(args, io) {
    const { values } = parseArguments(args, SOCKET_OPTION);
    const socket = await findSocket(values.socket);
    const client = ApiClient.overSocket(socket);
    const { site } = await client.status();
    await client.stop();
    const end = Date.now() + LIMIT_MS;
    while (await isAnswered(socket)) {
      if (Date.now() > end)
        throw new CaravanError('timeout', `${site.name} still runs after ${LIMIT_MS / 1000} s: end its process.`);
      await sleep(50);
    }
    io.out(`${site.name} has stopped.\n`);
  },
};
