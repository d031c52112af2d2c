import { acrossPeers, nobody } from '../across-peers.ts';
import { whyWithout } from '../commands.ts';
import { Program } from '../program.ts';
import type { Row } from '../row.ts';
import { iperf3, startIperf3 } from '../tools/iperf3.ts';

const ROUND_TRIP_MS = 100;
/** What a window of 1 MiB allows on this path. Mbit/s. */
const ONE_WINDOW_MBIT = (1024 ** 2 * 8) / 1e6 / (ROUND_TRIP_MS / 1000);
/** Windows need some round trips to grow: these do not count. Seconds. */
const GROWING_SECONDS = 2;

export const longPath: Row = {
  name: 'long-path',
  title: `TCP, one stream over a path of ${ROUND_TRIP_MS} ms`,
  how: 'iperf3; between the two halves a relay of the bench that delays',
  unit: 'Mbit/s',
  better: 'more',
  aim: { value: 10 * ONE_WINDOW_MBIT },
  prepare: async ({ quick, seconds }, scope) => {
    const reason = whyWithout('iperf3');
    if (reason) return nobody(reason);
    const between = async (port: number) => {
      const relay = scope.use(Program.own('delay-relay', port, ROUND_TRIP_MS / 2));
      return relay.printsPort();
    };
    const target = { port: await startIperf3(scope), protocol: 'tcp' as const, between };
    const omit = quick ? 0 : GROWING_SECONDS;
    return acrossPeers(target, scope, async (port) => (await iperf3({ port, streams: 1, seconds, omit }, scope)) / 1e6);
  },
};
