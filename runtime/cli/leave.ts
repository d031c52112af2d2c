import { ApiClient } from '../api/client.ts';
import { leaveNetwork } from '../api/laptop/leave.ts';
import { LocalRouter } from '../api/laptop/local-router.ts';
import { CaravanError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { ownScript } from './own-script.ts';

export const command: Command = {
  help: `Usage: caravan leave

Takes this laptop out of the networks that it joined, in the editor or with "caravan join": they drop it at once, what it offered and its
links go, and its router ends.
`,
  async run(args, io) {
    parseArguments(args, {});
    const router = LocalRouter.ofThisUser({ script: ownScript() });
    if (!(await router.isRunning())) throw new CaravanError('not-running', 'This laptop is in no network.');
    await leaveNetwork(ApiClient.overSocket(router.ref.socket), () => router.ended(), new AbortController().signal);
    io.out('This laptop has left: its links, ports and router are gone.\n');
  },
};
