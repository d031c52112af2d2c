import { acrossPeers } from '../across-peers.ts';
import { Program } from '../program.ts';
import { WINDOW } from '../programs/udp-window.ts';
import type { Row } from '../row.ts';

const DATAGRAM_BYTES = 1200;

export const udpDatagrams: Row = {
  name: 'udp-datagrams',
  title: `UDP datagrams of ${DATAGRAM_BYTES} B`,
  how: `at most ${WINDOW} on their way, none lost`,
  unit: 'packets/s',
  better: 'more',
  aim: { times: 0.5, of: 'direct' },
  prepare: async ({ seconds }, scope) => {
    const sink = scope.use(Program.own('udp-sink'));
    const target = { port: await sink.printsPort(), protocol: 'udp' as const };
    return acrossPeers(target, scope, async (port) => {
      const source = scope.use(Program.own('udp-source', port, DATAGRAM_BYTES, seconds));
      return Number(await source.output());
    });
  },
};
