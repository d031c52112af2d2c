import { acrossPeers, nobody } from '../across-peers.ts';
import { whyWithout } from '../commands.ts';
import type { Row } from '../row.ts';
import { iperf3, startIperf3 } from '../tools/iperf3.ts';

export const tcpOneStream = throughput('tcp-one-stream', 'TCP, one stream', 1, 0.85);
export const tcpFourStreams = throughput('tcp-four-streams', 'TCP, four streams', 4, 0.9);

function throughput(name: string, title: string, streams: number, times: number): Row {
  return {
    name,
    title,
    how: 'iperf3',
    unit: 'Gbit/s',
    better: 'more',
    aim: { times, of: 'haproxy' },
    prepare: async ({ seconds }, scope) => {
      const reason = whyWithout('iperf3');
      if (reason) return nobody(reason);
      const target = { port: await startIperf3(scope), protocol: 'tcp' as const };
      return acrossPeers(target, scope, async (port) => (await iperf3({ port, streams, seconds }, scope)) / 1e9);
    },
  };
}
