import { acrossPeers, nobody } from '../across-peers.ts';
import { whyWithout } from '../commands.ts';
import type { Row } from '../row.ts';
import { prepareCalls, startCallServer } from '../tools/h2load.ts';

export const grpcCalls: Row = {
  name: 'grpc-calls',
  title: 'gRPC unary calls, type http2',
  how: 'h2load, 4 connections, 10 calls at once on each',
  unit: 'calls/s',
  better: 'more',
  aim: { times: 0.5, of: 'haproxy' },
  prepare: async ({ seconds }, scope) => {
    const reason = whyWithout('h2load', 'nghttpd');
    if (reason) return nobody(reason);
    const call = await prepareCalls(scope);
    const target = { port: await startCallServer(scope), protocol: 'http2' as const };
    return acrossPeers(target, scope, (port) => call({ port, seconds }));
  },
};
